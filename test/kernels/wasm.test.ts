import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { describeKernels } from '../../src/contract/kernels.js';

describeKernels('wasm');

describe('the compiled modules', () => {
  it.each(['kernels.wasm', 'kernels-relaxed.wasm'])(
    '%s own no memory: no data segment, one imported heap',
    (name) => {
      const bytes = readFileSync(new URL(`../../dist/${name}`, import.meta.url));
      const sections = sectionIds(bytes);
      expect(sections).not.toContain(11); // data
      expect(sections).not.toContain(5); // memory
      expect(sections).toContain(2); // import
    },
  );
});

/** Ids of a module's sections, in order. */
function sectionIds(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at++]!);
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      size += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    at += size;
  }
  return ids;
}
