/**
 * The fused cross-entropy chunk by chunk (assembly/cross-entropy.ts): threads share the rows of a chunk, whose logits then exist, and
 * after that the items whose gradient they add to. Each item's gradient grows chunk by chunk in one thread.
 */
import type { KernelExports } from '../wasm/exports.js';
import type { Member, Numbers } from '../wasm/threads/member.js';
import { arena, lines, shareOf } from '../wasm/threads/share.js';

/** Items of one share: whole cache lines of a row of logits. */
const ITEMS = 16;

interface Sizes {
  width: number;
  items: number;
  count: number;
  chunk: number;
}

/** Of the work that a row of logits makes, what is done by rows: two of three products, and the exponentials. */
const BY_ROWS = 0.7;

/**
 * The items that fall to a thread: more where it gets fewer of a chunk's `rows`, which come in fours, since the items of one chunk
 * and the rows of the next lie between the same two barriers.
 */
export function itemsOf(
  items: number,
  rows: number,
  index: number,
  size: number,
): [from: number, until: number] {
  const edges = [0];
  for (let i = 1; i < size; i++) {
    const byRows = shareOf(rows, i, size, 4)[0] / rows;
    const share = (i / size - BY_ROWS * byRows) / (1 - BY_ROWS);
    const edge = ITEMS * Math.round((share * items) / ITEMS);
    edges.push(Math.min(items, Math.max(edges[i - 1]!, edge)));
  }
  edges.push(items);
  return [edges[index]!, edges[index + 1]!];
}

/** Where things lie in scratch; two chunks, since threads begin the next one while others end the last. */
function layout(kernels: KernelExports, { width, items, count, chunk }: Sizes, buffers: number) {
  const { place, used } = arena();
  const losses = place(8 * count);
  const byItem = place(kernels.packedBytes(width, items));
  const byWidth = place(kernels.packedBytes(items, width));
  const chunks = Array.from({ length: buffers }, () => ({
    h: place(4 * chunk * width),
    scaled: place(4 * chunk * width),
    logits: place(4 * chunk * kernels.logitsStride(items)),
  }));
  const room =
    Math.max(4 * chunk * (width + 1) + 64, kernels.packedBytes(chunk, width)) + kernels.gemmScratchBytes();
  return { losses, byItem, byWidth, chunks, own: used(), ownBytes: lines(room) };
}

/** Bytes of scratch for so many threads. */
export function crossEntropyScratchBytes(kernels: KernelExports, sizes: Sizes, threads: number): number {
  const { own, ownBytes } = layout(kernels, sizes, threads > 1 ? 2 : 1);
  return own + threads * ownBytes + 64;
}

/** numbers: width, items, count, chunk, rows, hidden, W, targets, positions, dHidden, dW, scratch. @returns the mean loss, nats. */
export function crossEntropyProgram(kernels: KernelExports, numbers: Numbers, member: Member): number {
  const [width, items, count, chunk, rows, hidden] = [
    numbers[0]!,
    numbers[1]!,
    numbers[2]!,
    numbers[3]!,
    numbers[4]!,
    numbers[5]!,
  ];
  const [W, targets, positions, dHidden, dW] = [
    numbers[6]!,
    numbers[7]!,
    numbers[8]!,
    numbers[9]!,
    numbers[10]!,
  ];
  const scratch = lines(numbers[11]!);
  const { index, size } = member;
  const places = layout(kernels, { width, items, count, chunk }, size > 1 ? 2 : 1);
  const scale = 1 / count;
  const byItem = scratch + places.byItem;
  const byWidth = scratch + places.byWidth;
  const spare = scratch + places.own + index * places.ownBytes;
  const [item, untilItem] = itemsOf(items, Math.min(chunk, count), index, size);
  const [column, untilColumn] = shareOf(width, index, size, ITEMS);
  const [row, untilRow] = shareOf(rows, index, size);
  if (item < untilItem) kernels.packPart(width, items, W, width, 1, byItem, item, untilItem);
  if (column < untilColumn) kernels.packPart(items, width, W, width, 0, byWidth, column, untilColumn);
  kernels.zero(dHidden + 4 * row * width, 4 * (untilRow - row) * width);
  kernels.zero(dW + 4 * item * width, 4 * (untilItem - item) * width);
  member.barrier();
  for (let from = 0, i = 0; from < count; from += chunk, i++) {
    const n = Math.min(chunk, count - from);
    const buffer = places.chunks[i % places.chunks.length]!;
    const [h, scaled, logits] = [scratch + buffer.h, scratch + buffer.scaled, scratch + buffer.logits];
    const losses = scratch + places.losses + 8 * from;
    const at = positions + 4 * from;
    const [first, until] = shareOf(n, index, size, 4);
    if (first < until)
      kernels.crossEntropyRows(
        ...([first, until, width, items, hidden, W, targets, at, dHidden, byItem, byWidth] as const),
        ...([scale, h, scaled, logits, losses, spare] as const),
      );
    member.barrier();
    if (item < untilItem)
      kernels.crossEntropyItems(
        ...([item, untilItem, n, width, items, targets, at, dW, scale] as const),
        ...([h, scaled, logits, spare] as const),
      );
  }
  return index === 0 ? kernels.sumOf(count, scratch + places.losses) / count : 0;
}
