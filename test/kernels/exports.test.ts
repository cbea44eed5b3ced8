/** The signatures that are written by hand are those of the compiled kernels: same names, same number of arguments. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const at = (path: string) => new URL(`../../${path}`, import.meta.url);

/** Names and numbers of arguments, as wasm/exports.ts declares them. */
function declared(): Map<string, number> {
  const text = readFileSync(at('src/kernels/wasm/exports.ts'), 'utf8');
  const body = text.slice(text.indexOf('export interface KernelExports {'));
  const signatures = body.matchAll(/^ {2}(\w+)\(([^)]*)\): (?:void|number);/gm);
  return new Map([...signatures].map(([, name, words]) => [name!, words!.match(/\w+: \w+/g)?.length ?? 0]));
}

it('exports.ts is what kernels.wasm exports', async () => {
  const module = await WebAssembly.compile(readFileSync(at('dist/kernels.wasm')));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const compiled = Object.entries(exports).flatMap(([name, value]) =>
    typeof value === 'function' ? [[name, value.length] as const] : [],
  );
  expect(compiled.length).toBeGreaterThan(20);
  expect(declared()).toEqual(new Map(compiled));
});
