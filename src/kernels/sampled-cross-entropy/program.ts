/**
 * The fused sampled cross-entropy chunk by chunk (assembly/sampled-cross-entropy.ts), shared by threads as the full one is: rows of a
 * chunk first, then the sampled rows and the targets whose gradients grow.
 */
import type { KernelExports } from '../wasm/exports.js';
import type { Member, Numbers } from '../wasm/threads/member.js';
import { arena, lines, shareOf } from '../wasm/threads/share.js';

const ITEMS = 16;

interface Sizes {
  width: number;
  /** Sampled items. */
  n: number;
  count: number;
  chunk: number;
}

function layout(kernels: KernelExports, { width, n, count, chunk }: Sizes, buffers: number) {
  const { place, used } = arena();
  const losses = place(8 * count);
  const sampled = place(4 * n * width);
  const dSampled = place(4 * n * width);
  const byItem = place(kernels.packedBytes(width, n));
  const byWidth = place(kernels.packedBytes(n, width));
  const chunks = Array.from({ length: buffers }, () => ({
    h: place(4 * chunk * width),
    scaled: place(4 * chunk * width),
    // a vector may be read past the end of a row
    logits: place(4 * chunk * n + 64),
    ownFactors: place(4 * chunk),
  }));
  const room =
    Math.max(4 * chunk * (width + 1) + 64, kernels.packedBytes(chunk, width)) + kernels.gemmScratchBytes();
  return { losses, sampled, dSampled, byItem, byWidth, chunks, own: used(), ownBytes: lines(room) };
}

/** Bytes of scratch for so many threads. */
export function sampledCrossEntropyScratchBytes(
  kernels: KernelExports,
  sizes: Sizes,
  threads: number,
): number {
  const { own, ownBytes } = layout(kernels, sizes, threads > 1 ? 2 : 1);
  return own + threads * ownBytes + 64;
}

/**
 * numbers: width, n, count, chunk, rows, items, hidden, W, targets, positions, negatives, offsets, dHidden, dW, scratch.
 * @returns the mean loss, nats.
 */
export function sampledCrossEntropyProgram(kernels: KernelExports, numbers: Numbers, member: Member): number {
  const [width, n, count, chunk, rows, items] = [
    numbers[0]!,
    numbers[1]!,
    numbers[2]!,
    numbers[3]!,
    numbers[4]!,
    numbers[5]!,
  ];
  const [hidden, W, targets, positions] = [numbers[6]!, numbers[7]!, numbers[8]!, numbers[9]!];
  const [negatives, offsets, dHidden, dW] = [numbers[10]!, numbers[11]!, numbers[12]!, numbers[13]!];
  const scratch = lines(numbers[14]!);
  const { index, size } = member;
  const places = layout(kernels, { width, n, count, chunk }, size > 1 ? 2 : 1);
  const scale = 1 / count;
  const [sampled, dSampled] = [scratch + places.sampled, scratch + places.dSampled];
  const [byItem, byWidth] = [scratch + places.byItem, scratch + places.byWidth];
  const spare = scratch + places.own + index * places.ownBytes;
  const [from, until] = shareOf(n, index, size, ITEMS);
  const [column, untilColumn] = shareOf(width, index, size, ITEMS);
  const [item, untilItem] = shareOf(items, index, size, ITEMS);
  const [row, untilRow] = shareOf(rows, index, size);
  kernels.gatherRows(until - from, width, W, negatives + 4 * from, sampled + 4 * from * width);
  kernels.zero(dHidden + 4 * row * width, 4 * (untilRow - row) * width);
  kernels.zero(dW + 4 * item * width, 4 * (untilItem - item) * width);
  kernels.zero(dSampled + 4 * from * width, 4 * (until - from) * width);
  member.barrier();
  if (from < until) kernels.packPart(width, n, sampled, width, 1, byItem, from, until);
  if (column < untilColumn) kernels.packPart(n, width, sampled, width, 0, byWidth, column, untilColumn);
  member.barrier();
  for (let begin = 0, i = 0; begin < count; begin += chunk, i++) {
    const m = Math.min(chunk, count - begin);
    const buffer = places.chunks[i % places.chunks.length]!;
    const [h, scaled, logits] = [scratch + buffer.h, scratch + buffer.scaled, scratch + buffer.logits];
    const ownFactors = scratch + buffer.ownFactors;
    const losses = scratch + places.losses + 8 * begin;
    const at = positions + 4 * begin;
    const [first, last] = shareOf(m, index, size, 4);
    if (first < last)
      kernels.sampledRows(
        ...([first, last, width, n, hidden, W, targets, at, negatives, offsets, dHidden] as const),
        ...([byItem, byWidth, scale, h, scaled, logits, ownFactors, losses, spare] as const),
      );
    member.barrier();
    kernels.sampledItems(
      ...([from, until, item, untilItem, m, width, n, targets, at] as const),
      ...([dSampled, dW, h, scaled, logits, ownFactors, spare] as const),
    );
  }
  member.barrier();
  kernels.addSampled(from, until, width, negatives, dSampled, dW);
  return index === 0 ? kernels.sumOf(count, scratch + places.losses) / count : 0;
}
