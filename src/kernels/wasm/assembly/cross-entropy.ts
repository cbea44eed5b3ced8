// Softmax cross-entropy over all items, fused with the output projection: the logits of a chunk of positions exist, those
// of a whole batch never do. Value and gradients come out of one pass, since the loss is a mean and its gradient is known.

import { gatherRows } from './embedding';
import { gemmPacked, gemmScratchBytes, packB, packedBytes } from './gemm';
import { expx4, logarithm, max4, sum4 } from './math';

/** Bytes of scratch: W packed in both directions, one chunk's hidden states (plain, packed, scaled) and logits. */
export function crossEntropyScratchBytes(chunk: i32, width: i32, items: i32): i32 {
  return (
    packedBytes(width, items) +
    packedBytes(items, width) +
    2 * chunk * width * 4 +
    packedBytes(chunk, width) +
    chunk * items * 4 +
    chunk * width * 4 +
    gemmScratchBytes() +
    16
  );
}

/** Sum of the last row's exponentials. */
let total: f64 = 0;

/** Replaces a row of logits by e^(l - max), leaves their sum in `total` and returns ln(sum) + max. */
function exponentials(items: i32, row: usize): f64 {
  let largest4 = f32x4.splat(-Infinity);
  let j = 0;
  for (; j + 4 <= items; j += 4) largest4 = f32x4.pmax(largest4, v128.load(row + ((<usize>j) << 2)));
  let largest = max4(largest4);
  for (; j < items; j++) largest = max(largest, load<f32>(row + ((<usize>j) << 2)));
  const shift = f32x4.splat(largest);
  let sum: f64 = 0;
  j = 0;
  // Partial sums of 256 entries in single precision, their sum in double: no drift with the number of items.
  while (j + 4 <= items) {
    const stop = min(j + 256, items & ~3);
    let part = f32x4.splat(0);
    for (; j < stop; j += 4) {
      const e = expx4(f32x4.sub(v128.load(row + ((<usize>j) << 2)), shift));
      v128.store(row + ((<usize>j) << 2), e);
      part = f32x4.add(part, e);
    }
    sum += <f64>sum4(part);
  }
  for (; j < items; j++) {
    const at = row + ((<usize>j) << 2);
    const e = f32x4.extract_lane(expx4(f32x4.splat(load<f32>(at) - largest)), 0);
    store<f32>(at, e);
    sum += <f64>e;
  }
  total = sum;
  return <f64>largest + logarithm(sum);
}

/**
 * hidden [rows, width], W [items, width], targets [rows] (negative: the row is left out), positions: indices of the rows
 * that count, [count].
 * Writes dHidden [rows, width] and dW [items, width], the gradients of the MEAN loss over the counted rows.
 * @returns the mean loss, nats.
 */
export function crossEntropy(
  rows: i32,
  width: i32,
  items: i32,
  count: i32,
  hidden: usize,
  W: usize,
  targets: usize,
  positions: usize,
  dHidden: usize,
  dW: usize,
  chunk: i32,
  scratch: usize,
): f64 {
  const bytes = (<usize>width) << 2;
  const rowBytes = (<usize>items) << 2;
  const scale = <f32>(1.0 / <f64>count);
  const byItem = scratch; // W as the right factor of hidden . W^T
  const byWidth = byItem + <usize>packedBytes(width, items); // W as the right factor of P . W
  const h = byWidth + <usize>packedBytes(items, width);
  const scaled = h + <usize>chunk * bytes;
  const packedH = scaled + <usize>chunk * bytes;
  const logits = packedH + <usize>packedBytes(chunk, width);
  const dh = logits + <usize>chunk * rowBytes;
  const spare = dh + <usize>chunk * bytes;
  packB(width, items, W, width, true, byItem);
  packB(items, width, W, width, false, byWidth);
  memory.fill(dHidden, 0, <usize>rows * bytes);
  memory.fill(dW, 0, <usize>items * bytes);
  let loss: f64 = 0;
  for (let from = 0; from < count; from += chunk) {
    const n = min(chunk, count - from);
    const index = positions + ((<usize>from) << 2);
    gatherRows(n, width, hidden, index, h);
    gemmPacked(n, items, width, h, width, false, byItem, logits, items, false, spare);
    for (let i = 0; i < n; i++) {
      const row = logits + <usize>i * rowBytes;
      const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
      const own = <f64>load<f32>(row + ((<usize>target) << 2));
      loss += exponentials(items, row) - own;
      // Rows of P are e^l / total: the division goes into the small factors instead of the large P.
      const factor = <f32>(1.0 / total) * scale;
      store<f32>(dh + ((<usize>i) << 2), factor);
      for (let j = 0; j < width; j++)
        store<f32>(
          scaled + <usize>i * bytes + ((<usize>j) << 2),
          load<f32>(h + <usize>i * bytes + ((<usize>j) << 2)) * factor,
        );
    }
    // dW += P^T H, with the rows of H scaled.
    packB(n, width, scaled, width, false, packedH);
    gemmPacked(items, width, n, logits, items, true, packedH, dW, width, true, spare);
    // dH = P W, rows scaled afterwards (the factors move out of dh first: scaled is free now).
    memory.copy(scaled, dh, (<usize>n) << 2);
    gemmPacked(n, width, items, logits, items, false, byWidth, dh, width, false, spare);
    for (let i = 0; i < n; i++) {
      const position = load<i32>(index + ((<usize>i) << 2));
      const target = load<i32>(targets + ((<usize>position) << 2));
      const factor = load<f32>(scaled + ((<usize>i) << 2));
      const own = W + <usize>target * bytes;
      const ownGradient = dW + <usize>target * bytes;
      for (let j: usize = 0; j < bytes; j += 4) {
        store<f32>(
          dHidden + <usize>position * bytes + j,
          load<f32>(dh + <usize>i * bytes + j) * factor - scale * load<f32>(own + j),
        );
        store<f32>(ownGradient + j, load<f32>(ownGradient + j) - scale * load<f32>(h + <usize>i * bytes + j));
      }
    }
  }
  return loss / <f64>count;
}
