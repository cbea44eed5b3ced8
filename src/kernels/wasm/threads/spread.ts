/** Calls of one compiled kernel on parts of its work that do not depend on each other. */
import type { KernelExports } from '../exports.js';
import type { Member, Numbers } from './member.js';

type Compiled = (...numbers: number[]) => number;

/** The functions of a module, in its own order: the same on every thread. */
const known = new WeakMap<KernelExports, [string, Compiled][]>();
function functionsOf(kernels: KernelExports): [string, Compiled][] {
  let functions = known.get(kernels);
  if (!functions) {
    functions = Object.entries(kernels).filter(([, value]) => typeof value === 'function');
    known.set(kernels, functions);
  }
  return functions;
}

/** In the place of an address: scratch of the calling thread. */
export const OWN_SCRATCH = Number.NaN;

/** @param calls arguments of each call. @param scratch of every thread, one behind the other, where the calls need any. */
export function spreadNumbers(
  kernels: KernelExports,
  name: keyof KernelExports,
  calls: readonly number[][],
  scratch = { at: 0, bytes: 0 },
): number[] {
  const index = functionsOf(kernels).findIndex(([other]) => other === name);
  return [index, calls.length, calls[0]!.length, scratch.at, scratch.bytes, ...calls.flat()];
}

export function spreadProgram(kernels: KernelExports, numbers: Numbers, member: Member): number {
  const [index, calls, count, scratch, bytes] = [
    numbers[0]!,
    numbers[1]!,
    numbers[2]!,
    numbers[3]!,
    numbers[4]!,
  ];
  const [, compiled] = functionsOf(kernels)[index]!;
  const own = scratch + member.index * bytes;
  for (let call = member.claim(); call < calls; call = member.claim()) {
    const list: number[] = [];
    for (let i = 0; i < count; i++) {
      const number = numbers[5 + call * count + i]!;
      list.push(bytes > 0 && Number.isNaN(number) ? own : number);
    }
    compiled(...list);
  }
  return 0;
}
