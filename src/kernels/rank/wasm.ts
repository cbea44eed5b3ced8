/** Full ranking and losses on wasm (assembly/rank.ts): scores of a chunk of users at a time. */
import type * as tf from '@tensorflow/tfjs';
import { wasmKernel } from '../wasm/module.js';
import { gemmNumbers } from '../wasm/threads/gemm-program.js';
import { Program } from '../wasm/threads/programs.js';

const CHUNK_FLOATS = 1 << 18;

export const kernels: tf.KernelConfig[] = [
  wasmKernel('TargetRanks', ({ exports, at, output, scratch, run, spread, threads }, inputs) => {
    const { hidden, items: table, targets, historyOffsets, historyItems } = inputs;
    const [users, width] = hidden!.shape as [number, number];
    const items = table!.shape[0]!;
    const chunk = Math.min(256, Math.max(16, Math.floor(CHUNK_FLOATS / items / 4) * 4));
    const [unmasked, masked] = [output([users], 'int32'), output([users], 'int32')];
    const losses = output([users]);
    const own = exports.rankScratchBytes(chunk, items);
    // The item table packed lies behind what the calls need.
    const begin = scratch(threads() * own + exports.packedBytes(width, items));
    const packed = begin + threads() * own;
    const right = { k: width, n: items, b: at(table), ldb: width, transposeB: true, packed };
    const nothing = { m: 0, a: 0, lda: 0, transposeA: false, c: 0, ldc: 0, scratch: 0 };
    run(Program.pack, gemmNumbers({ ...right, ...nothing }));
    const [states, offsets, histories] = [at(hidden), at(historyOffsets), at(historyItems)];
    const byUser = [unmasked, masked, losses].map(at);
    const aims = at(targets);
    const least = Math.max(4, Math.ceil(1e6 / (items * width)));
    spread('ranks', users, { least, step: 4, scratch: own }, (first, count, room) => [
      count,
      width,
      items,
      states + 4 * first * width,
      packed,
      aims + 4 * first,
      offsets + 4 * first,
      histories,
      ...byUser.map((address) => address + 4 * first),
      chunk,
      room,
    ]);
    return [unmasked, masked, losses];
  }),
];
