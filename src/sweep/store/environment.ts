/** What a result was made with: noted in each record. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../util/workspace.js';
import type { Environment } from './record.js';

let known: Environment | undefined;

export function environment(): Environment {
  known ??= {
    perflaw: JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version as string,
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
    host: hostname(),
  };
  return known;
}
