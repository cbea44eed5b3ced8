/**
 * What the threads of a crew run together: loops around the compiled kernels, cut so that every number is computed in the order in
 * which one thread computes it. A program on one thread is the same loop with nobody to wait for. Numbers come in a list, laid
 * out as the functions that make them (here too) say; addresses among them are on the heap that all share.
 */
import { crossEntropyProgram } from '../../cross-entropy/program.js';
import { sampledCrossEntropyProgram } from '../../sampled-cross-entropy/program.js';
import { scanBackwardProgram } from '../../selective-scan/program.js';
import type { KernelExports } from '../exports.js';
import { gemmProgram, packProgram, productProgram } from './gemm-program.js';
import type { Member, Numbers } from './member.js';
import { spreadProgram } from './spread.js';

export type ProgramFunction = (kernels: KernelExports, numbers: Numbers, member: Member) => number;

/** Where each program stands in PROGRAMS: threads are told by number. */
export const Program = {
  spread: 0,
  pack: 1,
  product: 2,
  gemm: 3,
  crossEntropy: 4,
  sampledCrossEntropy: 5,
  scanBackward: 6,
} as const;

export const PROGRAMS: readonly ProgramFunction[] = [
  spreadProgram,
  packProgram,
  productProgram,
  gemmProgram,
  crossEntropyProgram,
  sampledCrossEntropyProgram,
  scanBackwardProgram,
];
