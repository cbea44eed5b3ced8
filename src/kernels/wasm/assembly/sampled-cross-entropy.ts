// Softmax cross-entropy over the target and some sampled items, fused with the output projection. All rows share one
// sample, so that the scores are one matrix product; value and gradients come out of one pass, as in cross-entropy.ts. Scratch is
// laid out by the caller (sampled-cross-entropy/program.ts): the functions here are parts that threads share.

import { gatherRows } from './embedding';
import { gemmPacked, packB, product } from './gemm';
import { coefficients } from './coefficients';
import { expx4, logarithm, max4 } from './math';
import { addScaled, dot } from './rows';
import { exponentials } from './softmax';

/**
 * Scores corrected by their offsets in place, minus infinity where a sampled item is the target.
 * @returns the largest of them and of the target's own score.
 */
function correct(n: i32, row: usize, negatives: usize, offsets: usize, target: i32, own: f32): f32 {
  const hit = i32x4.splat(target);
  const nothing = f32x4.splat(-Infinity);
  let largest4 = f32x4.splat(own);
  let j = 0;
  for (; j + 4 <= n; j += 4) {
    const at = (<usize>j) << 2;
    const corrected = f32x4.sub(v128.load(row + at), v128.load(offsets + at));
    const s = v128.bitselect(nothing, corrected, i32x4.eq(v128.load(negatives + at), hit));
    v128.store(row + at, s);
    largest4 = f32x4.pmax(largest4, s);
  }
  let largest = max4(largest4);
  for (; j < n; j++) {
    const at = (<usize>j) << 2;
    let s = load<f32>(row + at) - load<f32>(offsets + at);
    if (load<i32>(negatives + at) == target) s = -Infinity;
    store<f32>(row + at, s);
    largest = max(largest, s);
  }
  return largest;
}

/**
 * Rows from..until of a chunk, as crossEntropyRows: losses, scores (which become their exponentials), hidden states plain and scaled, the
 * factors of their own targets, and the gradient of hidden. A row depends on no other.
 *
 * negatives: sampled items, [n]; offsets: logarithms of the numbers of times each was to be expected, [n]; byItem, byWidth: the sampled
 * rows of W packed as the right factor of hidden . W^T and of P . W. Of the whole chunk: h, scaled [chunk, width], logits [chunk, n],
 * ownFactors [chunk], losses (f64) [chunk]. spare: gemmScratchBytes() and 4 * (width + 1) bytes a row.
 */
export function sampledRows(
  from: i32, until: i32, width: i32, n: i32, hidden: usize, W: usize, targets: usize, index: usize, negatives: usize, offsets: usize,
  dHidden: usize, byItem: usize, byWidth: usize, scale: f32,
  h: usize, scaled: usize, logits: usize, ownFactors: usize, losses: usize, spare: usize,
): void {
  const bytes = (<usize>width) << 2;
  const rowBytes = (<usize>n) << 2;
  const m = until - from;
  const dh = spare;
  const factors = dh + <usize>m * bytes;
  const room = (factors + ((<usize>m) << 2) + 15) & ~15;
  index += (<usize>from) << 2;
  h += <usize>from * bytes;
  scaled += <usize>from * bytes;
  logits += <usize>from * rowBytes;
  ownFactors += (<usize>from) << 2;
  losses += (<usize>from) << 3;
  gatherRows(m, width, hidden, index, h);
  gemmPacked(m, n, width, h, width, false, byItem, logits, n, false, room);
  memory.fill(scaled, 0, <usize>m * bytes);
  for (let i = 0; i < m; i++) {
    const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
    const hRow = h + <usize>i * bytes;
    const own = dot(width, hRow, W + <usize>target * bytes);
    const row = logits + <usize>i * rowBytes;
    const largest = correct(n, row, negatives, offsets, target, own);
    const ownExponential = <f64>f32x4.extract_lane(expx4(coefficients(), f32x4.splat(own - largest)), 0);
    const total = ownExponential + exponentials(n, row, largest);
    store<f64>(losses + ((<usize>i) << 3), <f64>largest + logarithm(total) - <f64>own);
    // Rows of P are e^s / total: the division goes into the small factors instead of the large P.
    const factor = <f32>(1.0 / total) * scale;
    store<f32>(factors + ((<usize>i) << 2), factor);
    store<f32>(ownFactors + ((<usize>i) << 2), <f32>(ownExponential / total - 1.0) * scale);
    addScaled(width, factor, hRow, scaled + <usize>i * bytes);
  }
  // dH = P W, rows scaled afterwards.
  gemmPacked(m, width, n, logits, n, false, byWidth, dh, width, false, room);
  for (let i = 0; i < m; i++) {
    const position = load<i32>(index + ((<usize>i) << 2));
    const target = <usize>load<i32>(targets + ((<usize>position) << 2));
    const to = dHidden + <usize>position * bytes;
    addScaled(width, load<f32>(factors + ((<usize>i) << 2)), dh + <usize>i * bytes, to);
    addScaled(width, load<f32>(ownFactors + ((<usize>i) << 2)), W + target * bytes, to);
  }
}

/**
 * What the m rows of a chunk, once sampledRows is done with all of them, add to the gradients of the sampled rows from..until
 * (dSampled [n, width]), and as targets to those of the items first..last (dW). spare: packedBytes(m, width) + gemmScratchBytes().
 */
export function sampledItems(
  from: i32, until: i32, first: i32, last: i32, m: i32, width: i32, n: i32, targets: usize, index: usize,
  dSampled: usize, dW: usize, h: usize, scaled: usize, logits: usize, ownFactors: usize, spare: usize,
): void {
  const bytes = (<usize>width) << 2;
  const room = spare + ((<usize>m * <usize>((width + 7) & ~7)) << 2);
  const to = dSampled + <usize>from * bytes;
  if (from < until) {
    // += P^T H, with the rows of H scaled
    packB(m, width, scaled, width, false, spare);
    product(until - from, width, m, logits + ((<usize>from) << 2), n, true, spare, to, width, to, width, room);
  }
  for (let i = 0; i < m; i++) {
    const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
    if (target >= first && target < last)
      addScaled(width, load<f32>(ownFactors + ((<usize>i) << 2)), h + <usize>i * bytes, dW + <usize>target * bytes);
  }
}

/** The gradients of the sampled rows from..until into dW, once all chunks are in. */
export function addSampled(from: i32, until: i32, width: i32, negatives: usize, dSampled: usize, dW: usize): void {
  const bytes = (<usize>width) << 2;
  for (let j = from; j < until; j++) {
    const item = <usize>load<i32>(negatives + ((<usize>j) << 2));
    addScaled(width, 1, dSampled + <usize>j * bytes, dW + item * bytes);
  }
}
