// What the losses share: the largest entry of a row, and its exponentials with their sum.
import { coefficients } from './coefficients';
import { expBy, expx4, max4, PAIR, sum4 } from './math';

export function largestOf(n: i32, row: usize): f32 {
  let even = f32x4.splat(-Infinity);
  let odd = even;
  let at = row;
  for (const end = row + (<usize>(n & ~7) << 2); at < end; at += PAIR) {
    even = f32x4.pmax(even, v128.load(at));
    odd = f32x4.pmax(odd, v128.load(at, 16));
  }
  let largest = max4(f32x4.pmax(even, odd));
  for (const end = row + (<usize>n << 2); at < end; at += 4) largest = max(largest, load<f32>(at));
  return largest;
}

/**
 * Replaces a row by e^(v - shift), none of which is above 88, and returns the sum: partial sums of 256 entries in single precision, their sum in double,
 * so that it does not drift with the number of items. Two vectors at a time, for engines that join them into one.
 */
export function exponentials(n: i32, row: usize, shift: f32): f64 {
  const k = coefficients();
  const lowest = k.lowest;
  const log2e = k.log2e;
  const round = k.round;
  const ln2a = k.ln2a;
  const ln2b = k.ln2b;
  const one = k.one;
  const exp1 = k.exp1;
  const exp2 = k.exp2;
  const exp3 = k.exp3;
  const exp4 = k.exp4;
  const exp5 = k.exp5;
  const shift4 = f32x4.splat(shift);
  const whole = row + (<usize>(n & ~7) << 2);
  let sum: f64 = 0;
  let at = row;
  while (at < whole) {
    const stop = min(at + 1024, whole);
    let even = f32x4.splat(0);
    let odd = even;
    for (; at < stop; at += PAIR) {
      const e0 = expBy(lowest, log2e, round, ln2a, ln2b, one, exp1, exp2, exp3, exp4, exp5, f32x4.sub(v128.load(at), shift4));
      const e1 = expBy(lowest, log2e, round, ln2a, ln2b, one, exp1, exp2, exp3, exp4, exp5, f32x4.sub(v128.load(at, 16), shift4));
      v128.store(at, e1, 16);
      v128.store(at, e0);
      even = f32x4.add(even, e0);
      odd = f32x4.add(odd, e1);
    }
    sum += <f64>sum4(f32x4.add(even, odd));
  }
  for (const end = row + (<usize>n << 2); at < end; at += 4) {
    const e = f32x4.extract_lane(expx4(k, f32x4.splat(load<f32>(at) - shift)), 0);
    store<f32>(at, e);
    sum += <f64>e;
  }
  return sum;
}
