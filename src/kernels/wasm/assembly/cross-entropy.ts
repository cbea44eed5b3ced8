// Softmax cross-entropy over all items, fused with the output projection: the logits of a chunk of positions exist, those
// of a whole batch never do. Value and gradients come out of one pass, since the loss is a mean and its gradient is known.

import { gatherRows } from './embedding';
import { gemmPacked, gemmScratchBytes, packB, packedBytes } from './gemm';
import { logarithm } from './math';
import { addScaled } from './rows';
import { exponentials, largestOf } from './softmax';

/** Floats from one row of logits to the next: whole cache lines, so that no vector lies across two. */
// @ts-ignore: decorator
@inline function padded(items: i32): i32 {
  return (items + 15) & ~15;
}

/** Bytes of scratch: W packed in both directions, one chunk's hidden states (plain, packed, scaled) and logits. */
export function crossEntropyScratchBytes(chunk: i32, width: i32, items: i32): i32 {
  return (
    packedBytes(width, items) +
    packedBytes(items, width) +
    2 * chunk * width * 4 +
    packedBytes(chunk, width) +
    chunk * padded(items) * 4 +
    chunk * (width + 1) * 4 +
    gemmScratchBytes() +
    16
  );
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
  const stride = padded(items);
  const rowBytes = (<usize>stride) << 2;
  const scale = <f32>(1.0 / <f64>count);
  const byItem = scratch; // W as the right factor of hidden . W^T
  const byWidth = byItem + <usize>packedBytes(width, items); // W as the right factor of P . W
  const h = byWidth + <usize>packedBytes(items, width);
  const scaled = h + <usize>chunk * bytes;
  const packedH = scaled + <usize>chunk * bytes;
  const logits = packedH + <usize>packedBytes(chunk, width);
  const dh = logits + <usize>chunk * rowBytes;
  const factors = dh + <usize>chunk * bytes;
  const spare = factors + ((<usize>chunk) << 2);
  packB(width, items, W, width, true, byItem);
  packB(items, width, W, width, false, byWidth);
  memory.fill(dHidden, 0, <usize>rows * bytes);
  memory.fill(dW, 0, <usize>items * bytes);
  let loss: f64 = 0;
  for (let from = 0; from < count; from += chunk) {
    const n = min(chunk, count - from);
    const index = positions + ((<usize>from) << 2);
    gatherRows(n, width, hidden, index, h);
    gemmPacked(n, items, width, h, width, false, byItem, logits, stride, false, spare);
    memory.fill(scaled, 0, <usize>n * bytes);
    for (let i = 0; i < n; i++) {
      const row = logits + <usize>i * rowBytes;
      const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
      const own = <f64>load<f32>(row + ((<usize>target) << 2));
      const largest = largestOf(items, row);
      const total = exponentials(items, row, largest);
      loss += <f64>largest + logarithm(total) - own;
      // Rows of P are e^l / total: the division goes into the small factors instead of the large P.
      const factor = <f32>(1.0 / total) * scale;
      store<f32>(factors + ((<usize>i) << 2), factor);
      addScaled(width, factor, h + <usize>i * bytes, scaled + <usize>i * bytes);
    }
    // dW += P^T H, with the rows of H scaled.
    packB(n, width, scaled, width, false, packedH);
    gemmPacked(items, width, n, logits, stride, true, packedH, dW, width, true, spare);
    // dH = P W, rows scaled afterwards.
    gemmPacked(n, width, items, logits, stride, false, byWidth, dh, width, false, spare);
    for (let i = 0; i < n; i++) {
      const position = load<i32>(index + ((<usize>i) << 2));
      const target = <usize>load<i32>(targets + ((<usize>position) << 2));
      const to = dHidden + <usize>position * bytes;
      addScaled(width, load<f32>(factors + ((<usize>i) << 2)), dh + <usize>i * bytes, to);
      addScaled(width, -scale, W + target * bytes, to);
      addScaled(width, -scale, h + <usize>i * bytes, dW + target * bytes);
    }
  }
  return loss / <f64>count;
}
