/** A thread of a crew: the compiled kernels on the shared heap, and programs of them whenever the main thread asks. */
import { parentPort, workerData } from 'node:worker_threads';
import type { KernelExports } from '../exports.js';
import { awaitWord, controlOf, fail, Word } from './control.js';
import { crewMember } from './member.js';
import { PROGRAMS } from './programs.js';

/** What the main thread gives a new one. */
export interface ThreadData {
  index: number;
  control: SharedArrayBuffer;
  memory: WebAssembly.Memory;
  module: WebAssembly.Module;
  coefficients: number;
  wide: boolean;
}

const data = workerData as ThreadData;
const control = controlOf(data.control);
process.on('exit', () => fail(control, new Error('it ended')));
const { exports } = await WebAssembly.instantiate(data.module, { env: { memory: data.memory } });
const kernels = exports as unknown as KernelExports;
kernels.placeCoefficients(data.coefficients);
kernels.useWideTiles(Number(data.wide));
const go = Word.go(data.index);
let turn = Atomics.load(control.words, go);
parentPort!.postMessage('ready');
for (;;) {
  turn = awaitWord(control, go, (value) => value !== turn, true);
  if (turn < 0) break;
  try {
    const member = crewMember(control, data.index, Atomics.load(control.words, Word.size));
    PROGRAMS[Atomics.load(control.words, Word.program)]!(kernels, control.numbers, member);
  } catch (error) {
    fail(control, error);
  }
  const done = Atomics.add(control.words, Word.done, 1) + 1;
  if (done >= Atomics.load(control.words, Word.size) - 1) Atomics.notify(control.words, Word.done);
}
