// Full ranking: how many items score at least as high as the target, with and without the user's history among them; and the
// target's cross-entropy, since the scores are there.
import { gemmPacked, gemmScratchBytes } from './gemm';
import { logarithm } from './math';
import { exponentials, largestOf } from './softmax';

/** Bytes of scratch: one chunk of scores, one mark an item. */
export function rankScratchBytes(chunk: i32, items: i32): i32 {
  return chunk * items * 4 + items * 4 + gemmScratchBytes();
}

/**
 * hidden [users, width], items [items, width] packed as the right factor of hidden . items^T (row 0 is padding and no candidate), targets [users]; histories in compressed
 * rows: historyItems[historyOffsets[u] .. historyOffsets[u + 1]).
 * Ranks start at 1; ties, and scores that are not numbers, count against the model. losses [users]: ln sum_i exp(h . w_i) -
 * h . w_target, nats; the padding row takes part, as in training.
 */
export function ranks(
  users: i32,
  width: i32,
  items: i32,
  hidden: usize,
  packed: usize,
  targets: usize,
  historyOffsets: usize,
  historyItems: usize,
  unmasked: usize,
  masked: usize,
  losses: usize,
  chunk: i32,
  scratch: usize,
): void {
  const scores = scratch;
  const marks = scores + ((<usize>chunk * <usize>items) << 2);
  const spare = marks + ((<usize>items) << 2);
  memory.fill(marks, 0, (<usize>items) << 2);
  for (let from = 0; from < users; from += chunk) {
    const n = min(chunk, users - from);
    gemmPacked(
      n,
      items,
      width,
      hidden + ((<usize>from * <usize>width) << 2),
      width,
      false,
      packed,
      scores,
      items,
      false,
      spare,
    );
    for (let i = 0; i < n; i++) {
      const u = <usize>(from + i);
      const row = scores + ((<usize>i * <usize>items) << 2);
      const target = load<i32>(targets + (u << 2));
      const own = load<f32>(row + ((<usize>target) << 2));
      const own4 = f32x4.splat(own);
      // Lower scores are counted, so that a NaN never helps. Lanes hold minus the count.
      let below4 = i32x4.splat(0);
      let j = 0;
      for (; j + 4 <= items; j += 4) below4 = i32x4.add(below4, f32x4.lt(v128.load(row + ((<usize>j) << 2)), own4));
      let below = -(
        i32x4.extract_lane(below4, 0) +
        i32x4.extract_lane(below4, 1) +
        i32x4.extract_lane(below4, 2) +
        i32x4.extract_lane(below4, 3)
      );
      for (; j < items; j++) below += <i32>(load<f32>(row + ((<usize>j) << 2)) < own);
      below -= <i32>(load<f32>(row) < own);
      const rank = items - 1 - below;
      let seenAbove = 0;
      const stop = load<i32>(historyOffsets + (u << 2), 4);
      for (let k = load<i32>(historyOffsets + (u << 2)); k < stop; k++) {
        const item = load<i32>(historyItems + ((<usize>k) << 2));
        const mark = marks + ((<usize>item) << 2);
        if (item == target || load<i32>(mark) == <i32>u + 1) continue;
        store<i32>(mark, <i32>u + 1);
        if (!(load<f32>(row + ((<usize>item) << 2)) < own)) seenAbove++;
      }
      store<i32>(unmasked + (u << 2), rank);
      store<i32>(masked + (u << 2), rank - seenAbove);
      // Last: the scores become their exponentials.
      const largest = largestOf(items, row);
      const total = exponentials(items, row, largest);
      store<f32>(losses + (u << 2), <f32>(<f64>largest + logarithm(total) - <f64>own));
    }
  }
}
