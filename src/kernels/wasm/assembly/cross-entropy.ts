// Softmax cross-entropy over all items, fused with the output projection: the logits of a chunk of positions exist, those
// of a whole batch never do. Value and gradients come out of one pass, since the loss is a mean and its gradient is known.

// Scratch is laid out by the caller (cross-entropy/program.ts): the functions here are parts that threads share.

import { gatherRows } from './embedding';
import { gemmPacked, packB, product } from './gemm';
import { logarithm } from './math';
import { addScaled } from './rows';
import { exponentials, largestOf } from './softmax';

/** Floats from one row of logits to the next: whole cache lines, so that no vector lies across two. */
export function logitsStride(items: i32): i32 {
  return (items + 15) & ~15;
}

/**
 * Rows from..until of a chunk: losses, logits (which become e^l), hidden states plain and scaled for the items' gradient, and the
 * gradient of hidden. A row depends on no other.
 *
 * index: positions of the chunk's rows in hidden [.., width] and targets; W [items, width], packed as the right factor of
 * hidden . W^T (byItem) and of P . W (byWidth); scale: 1 / rows counted. Of the whole chunk: h, scaled [chunk, width], logits
 * [chunk, logitsStride], losses (f64) [chunk]. spare: gemmScratchBytes() and 4 * (width + 1) bytes a row.
 */
export function crossEntropyRows(
  from: i32, until: i32, width: i32, items: i32, hidden: usize, W: usize, targets: usize, index: usize, dHidden: usize,
  byItem: usize, byWidth: usize, scale: f32, h: usize, scaled: usize, logits: usize, losses: usize, spare: usize,
): void {
  const bytes = (<usize>width) << 2;
  const stride = logitsStride(items);
  const rowBytes = (<usize>stride) << 2;
  const n = until - from;
  const dh = spare;
  const factors = dh + <usize>n * bytes;
  const room = (factors + ((<usize>n) << 2) + 15) & ~15;
  index += (<usize>from) << 2;
  h += <usize>from * bytes;
  scaled += <usize>from * bytes;
  logits += <usize>from * rowBytes;
  losses += (<usize>from) << 3;
  gatherRows(n, width, hidden, index, h);
  gemmPacked(n, items, width, h, width, false, byItem, logits, stride, false, room);
  memory.fill(scaled, 0, <usize>n * bytes);
  for (let i = 0; i < n; i++) {
    const row = logits + <usize>i * rowBytes;
    const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
    const own = <f64>load<f32>(row + ((<usize>target) << 2));
    const largest = largestOf(items, row);
    const total = exponentials(items, row, largest);
    store<f64>(losses + ((<usize>i) << 3), <f64>largest + logarithm(total) - own);
    // Rows of P are e^l / total: the division goes into the small factors instead of the large P.
    const factor = <f32>(1.0 / total) * scale;
    store<f32>(factors + ((<usize>i) << 2), factor);
    addScaled(width, factor, h + <usize>i * bytes, scaled + <usize>i * bytes);
  }
  // dH = P W, rows scaled afterwards.
  gemmPacked(n, width, items, logits, stride, false, byWidth, dh, width, false, room);
  for (let i = 0; i < n; i++) {
    const position = load<i32>(index + ((<usize>i) << 2));
    const target = <usize>load<i32>(targets + ((<usize>position) << 2));
    const to = dHidden + <usize>position * bytes;
    addScaled(width, load<f32>(factors + ((<usize>i) << 2)), dh + <usize>i * bytes, to);
    addScaled(width, -scale, W + target * bytes, to);
  }
}

/**
 * What the n rows of a chunk add to the gradient dW of the items from..until, once crossEntropyRows is done with all of them.
 * spare: packedBytes(n, width) + gemmScratchBytes().
 */
export function crossEntropyItems(
  from: i32, until: i32, n: i32, width: i32, items: i32, targets: usize, index: usize, dW: usize, scale: f32,
  h: usize, scaled: usize, logits: usize, spare: usize,
): void {
  const bytes = (<usize>width) << 2;
  const room = spare + ((<usize>n * <usize>((width + 7) & ~7)) << 2);
  const to = dW + <usize>from * bytes;
  // dW += P^T H, with the rows of H scaled.
  packB(n, width, scaled, width, false, spare);
  product(until - from, width, n, logits + ((<usize>from) << 2), logitsStride(items), true, spare, to, width, to, width, room);
  for (let i = 0; i < n; i++) {
    const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
    if (target >= from && target < until) addScaled(width, -scale, h + <usize>i * bytes, dW + <usize>target * bytes);
  }
}
