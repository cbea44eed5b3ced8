/** Layer normalisation along the length, as TiM4Rec's time path needs it: whole, over a history alone, over the past alone. */
import * as tf from '@tensorflow/tfjs';
import type { TimeMode } from '../settings.js';
import { EPSILON } from './layers.js';

/** Where fewer values than the whole length take part a deviation of 0 is common (a first item, equal gaps). */
const SHORT_EPSILON = 1e-5;

/**
 * Differences of timestamps, normalised in float64: seconds span ten orders of magnitude.
 * @param gaps [histories, width], changed in place.
 * @returns [histories, width]; 0 behind a history except in mode `paper`.
 */
export function normaliseGaps(
  gaps: Float64Array,
  lengths: Int32Array,
  width: number,
  mode: Exclude<TimeMode, 'none'>,
): Float32Array {
  lengths.forEach((length, h) => {
    const line = gaps.subarray(h * width, (h + 1) * width);
    if (mode === 'causal') normaliseByPast(line, length);
    else normaliseWhole(line, mode === 'paper' ? width : length, mode === 'paper' ? EPSILON : SHORT_EPSILON);
  });
  return Float32Array.from(gaps);
}

function normaliseWhole(line: Float64Array, n: number, epsilon: number): void {
  let mean = 0;
  for (let i = 0; i < n; i++) mean += line[i]! / n;
  let variance = 0;
  for (let i = 0; i < n; i++) variance += (line[i]! - mean) ** 2 / n;
  for (let i = 0; i < n; i++) line[i] = (line[i]! - mean) / Math.sqrt(variance + epsilon);
  line.fill(0, n);
}

/** Running mean and variance by Welford's recurrence (1962). */
function normaliseByPast(line: Float64Array, n: number): void {
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const value = line[i]!;
    const before = mean;
    mean += (value - mean) / (i + 1);
    squares += (value - before) * (value - mean);
    line[i] = (value - mean) / Math.sqrt(squares / (i + 1) + SHORT_EPSILON);
  }
  line.fill(0, n);
}

/** x: [histories, heads, width]; kept: [histories, 1, width]. Behind a history the result is 0. */
export function maskedNorm(
  x: tf.Tensor3D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  kept: tf.Tensor3D,
): tf.Tensor3D {
  const count = tf.sum(kept, 2, true);
  const mean = tf.div(tf.sum(tf.mul(x, kept), 2, true), count);
  const centred = tf.mul(tf.sub(x, mean), kept);
  const variance = tf.div(tf.sum(tf.square(centred), 2, true), count);
  const normed = tf.mul(centred, tf.rsqrt(tf.add(variance, SHORT_EPSILON)));
  return tf.mul(tf.add(tf.mul(normed, gamma), beta), kept) as tf.Tensor3D;
}

/**
 * Each position by mean and variance of itself and the positions before it. The variance is a sum of Welford's terms,
 * (x_t - mean_{t-1}) (x_t - mean_t), none of them negative, so nothing cancels as in E[x^2] - E[x]^2.
 */
export function causalNorm(x: tf.Tensor3D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Tensor3D {
  const width = x.shape[2];
  const counts = tf.range(1, width + 1);
  const centred = tf.sub(x, tf.div(tf.cumsum(x, 2), counts));
  // x_t - mean_{t-1} = (x_t - mean_t) t / (t - 1); the first position has no mean before it and adds nothing.
  const ahead = tf.div(counts, tf.maximum(tf.sub(counts, 1), 1));
  const variance = tf.div(tf.cumsum(tf.mul(tf.square(centred), ahead), 2), counts);
  return tf.add(
    tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, SHORT_EPSILON))), gamma),
    beta,
  ) as tf.Tensor3D;
}
