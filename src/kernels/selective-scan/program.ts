/**
 * The way back through the scans by threads. The gradients of A, D and the bias run through all rows of a channel, those of B and C
 * through all channels of a block: so each thread has a range of channels (heads), works through the blocks in order, and hands
 * on to the next range what the gradients of B and C of the block have come to.
 */
import type { KernelExports } from '../wasm/exports.js';
import type { Member, Numbers } from '../wasm/threads/member.js';
import { shareOf } from '../wasm/threads/share.js';

/** Blocks by which a range may be ahead of the next. */
const AHEAD = 8;

export interface ScanBackward {
  /** Whether one decay a head (headScanBackward). */
  heads: boolean;
  batch: number;
  blocks: number;
  /** Channels or heads, and in what portions ranges are cut. */
  units: number;
  step: number;
  carryBytes: number;
  carries: number;
  shared: number;
  /** Of every thread, one behind the other. */
  scratch: number;
  scratchBytes: number;
  /** The compiled function's other numbers. */
  rest: readonly number[];
}

/** Bytes of what ranges hand on to each other. */
export function carriesBytes(carryBytes: number, threads: number): number {
  return (threads - 1) * AHEAD * carryBytes;
}

export function scanBackwardNumbers(scan: ScanBackward): number[] {
  const { heads, batch, blocks, units, step, carryBytes, carries, shared, scratch, scratchBytes, rest } =
    scan;
  const head = [
    Number(heads),
    batch,
    blocks,
    units,
    step,
    carryBytes,
    carries,
    shared,
    scratch,
    scratchBytes,
  ];
  return [...head, rest.length, ...rest];
}

export function scanBackwardProgram(
  kernels: KernelExports,
  numbers: Numbers,
  { index, size, ...member }: Member,
): number {
  const [heads, batch, blocks, units, step] = [
    numbers[0]!,
    numbers[1]!,
    numbers[2]!,
    numbers[3]!,
    numbers[4]!,
  ];
  const [carryBytes, carries, shared, scratch, bytes] = [
    numbers[5]!,
    numbers[6]!,
    numbers[7]!,
    numbers[8]!,
    numbers[9]!,
  ];
  const rest = Array.from({ length: numbers[10]! }, (_, i) => numbers[11 + i]!);
  const run = (heads ? kernels.headScanBackward : kernels.scanBackward) as (...numbers: number[]) => void;
  const ranges = Math.min(size, Math.ceil(units / step));
  if (index >= ranges) return 0;
  const [first, until] = shareOf(units, index, ranges, step);
  const own = scratch + index * bytes;
  const carry = (range: number, unit: number) => carries + (range * AHEAD + (unit % AHEAD)) * carryBytes;
  const last = index === ranges - 1;
  let unit = 0;
  for (let b = 0; b < batch; b++)
    for (let block = blocks - 1; block >= 0; block--, unit++) {
      if (index > 0) member.await(index - 1, unit + 1);
      if (!last && unit >= AHEAD) member.await(index + 1, unit - AHEAD + 1);
      const taken = index > 0 ? carry(index - 1, unit) : 0;
      const left = last ? 0 : carry(index, unit);
      run(b, block, first, until, taken, left, shared, own, ...rest);
      member.advance(index, unit + 1);
    }
  return 0;
}
