/** Writes sweeps/sweep.schema.json, the JSON Schema of sweep files, from the built grammar: `npm run build && npm run schema`. */
import { writeFileSync } from 'node:fs';
import { sweepJsonSchema } from '../dist/sweep/file/schema.js';

const path = new URL('../sweeps/sweep.schema.json', import.meta.url);
writeFileSync(path, `${JSON.stringify(sweepJsonSchema(), null, 2)}\n`);
