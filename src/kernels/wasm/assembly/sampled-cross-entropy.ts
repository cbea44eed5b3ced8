// Softmax cross-entropy over the target and some sampled items, fused with the output projection. All rows share one
// sample, so that the scores are one matrix product; value and gradients come out of one pass, as in cross-entropy.ts.

import { gatherRows } from './embedding';
import { gemmPacked, gemmScratchBytes, packB, packedBytes } from './gemm';
import { expx4, logarithm, max4 } from './math';
import { addScaled, dot } from './rows';
import { exponentials } from './softmax';

/** Bytes of scratch: the sampled rows plain, packed in both directions and their gradient; one chunk as in cross-entropy.ts. */
export function sampledCrossEntropyScratchBytes(chunk: i32, width: i32, negatives: i32): i32 {
  return (
    2 * negatives * width * 4 +
    packedBytes(width, negatives) +
    packedBytes(negatives, width) +
    3 * chunk * width * 4 +
    packedBytes(chunk, width) +
    chunk * negatives * 4 +
    2 * chunk * 4 +
    gemmScratchBytes() +
    16
  );
}

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
 * hidden [rows, width], W [items, width], targets [rows] (negative: the row is left out), positions: indices of the rows
 * that count, [count]; negatives: sampled items, [n]; offsets: logarithms of the numbers of times each was to be expected, [n].
 * Writes dHidden [rows, width] and dW [items, width], the gradients of the MEAN loss over the counted rows.
 * @returns the mean loss, nats.
 */
export function sampledCrossEntropy(
  rows: i32,
  width: i32,
  items: i32,
  count: i32,
  n: i32,
  hidden: usize,
  W: usize,
  targets: usize,
  positions: usize,
  negatives: usize,
  offsets: usize,
  dHidden: usize,
  dW: usize,
  chunk: i32,
  scratch: usize,
): f64 {
  const bytes = (<usize>width) << 2;
  const rowBytes = (<usize>n) << 2;
  const scale = <f32>(1.0 / <f64>count);
  const byItem = scratch; // the sampled rows as the right factor of hidden . W^T
  const byWidth = byItem + <usize>packedBytes(width, n); // and of P . W
  const packedH = byWidth + <usize>packedBytes(n, width);
  const sampled = packedH + <usize>packedBytes(chunk, width);
  const dSampled = sampled + <usize>n * bytes;
  const h = dSampled + <usize>n * bytes;
  const scaled = h + <usize>chunk * bytes;
  const dh = scaled + <usize>chunk * bytes;
  const logits = dh + <usize>chunk * bytes;
  const factors = logits + <usize>chunk * rowBytes;
  const ownFactors = factors + ((<usize>chunk) << 2);
  const spare = ownFactors + ((<usize>chunk) << 2);
  gatherRows(n, width, W, negatives, sampled);
  packB(width, n, sampled, width, true, byItem);
  packB(n, width, sampled, width, false, byWidth);
  memory.fill(dHidden, 0, <usize>rows * bytes);
  memory.fill(dW, 0, <usize>items * bytes);
  memory.fill(dSampled, 0, <usize>n * bytes);
  let loss: f64 = 0;
  for (let from = 0; from < count; from += chunk) {
    const m = min(chunk, count - from);
    const index = positions + ((<usize>from) << 2);
    gatherRows(m, width, hidden, index, h);
    gemmPacked(m, n, width, h, width, false, byItem, logits, n, false, spare);
    memory.fill(scaled, 0, <usize>m * bytes);
    for (let i = 0; i < m; i++) {
      const target = load<i32>(targets + ((<usize>load<i32>(index + ((<usize>i) << 2))) << 2));
      const hRow = h + <usize>i * bytes;
      const own = dot(width, hRow, W + <usize>target * bytes);
      const row = logits + <usize>i * rowBytes;
      const largest = correct(n, row, negatives, offsets, target, own);
      const ownExponential = <f64>f32x4.extract_lane(expx4(f32x4.splat(own - largest)), 0);
      const total = ownExponential + exponentials(n, row, largest);
      loss += <f64>largest + logarithm(total) - <f64>own;
      // Rows of P are e^s / total: the division goes into the small factors instead of the large P.
      const factor = <f32>(1.0 / total) * scale;
      store<f32>(factors + ((<usize>i) << 2), factor);
      store<f32>(ownFactors + ((<usize>i) << 2), <f32>(ownExponential / total - 1.0) * scale);
      addScaled(width, factor, hRow, scaled + <usize>i * bytes);
    }
    // Gradient of the sampled rows += P^T H, with the rows of H scaled; of H = P W, rows scaled afterwards.
    packB(m, width, scaled, width, false, packedH);
    gemmPacked(n, width, m, logits, n, true, packedH, dSampled, width, true, spare);
    gemmPacked(m, width, n, logits, n, false, byWidth, dh, width, false, spare);
    for (let i = 0; i < m; i++) {
      const position = load<i32>(index + ((<usize>i) << 2));
      const target = <usize>load<i32>(targets + ((<usize>position) << 2));
      const ownFactor = load<f32>(ownFactors + ((<usize>i) << 2));
      const to = dHidden + <usize>position * bytes;
      addScaled(width, load<f32>(factors + ((<usize>i) << 2)), dh + <usize>i * bytes, to);
      addScaled(width, ownFactor, W + target * bytes, to);
      addScaled(width, ownFactor, h + <usize>i * bytes, dW + target * bytes);
    }
  }
  for (let j = 0; j < n; j++) {
    const item = <usize>load<i32>(negatives + ((<usize>j) << 2));
    addScaled(width, 1, dSampled + <usize>j * bytes, dW + item * bytes);
  }
  return loss / <f64>count;
}
