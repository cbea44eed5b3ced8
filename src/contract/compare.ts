/** Holds an op on the open backend against its float64 reference: the value, and every gradient along random directions. */
import * as tf from '@tensorflow/tfjs';
import { expect } from 'vitest';
import { createRandom, type Random } from '../util/random.js';

export interface Input {
  shape: number[];
  values: Float64Array;
}

export type Inputs = Record<string, Input>;

/** Normal deviates times `scale` plus `shift`, rounded to float32 so that both sides see the same numbers. */
export function randomInput(random: Random, shape: number[], scale = 1, shift = 0): Input {
  const size = shape.reduce((a, b) => a * b, 1);
  return {
    shape,
    values: Float64Array.from({ length: size }, () => Math.fround(scale * random.normal() + shift)),
  };
}

/** Marks about one step in `every` (and sometimes none) as the beginning of a sequence. */
export function randomReset(random: Random, batch: number, length: number, every: number): Int32Array {
  return Int32Array.from({ length: batch * length }, () => (random.int(every) === 0 ? 1 : 0));
}

/** Largest difference relative to the largest entry expected, or to `floor` where that is larger. */
export function worstDifference(got: ArrayLike<number>, expected: ArrayLike<number>, floor = 1e-30): number {
  expect(got.length).toBe(expected.length);
  let worst = 0;
  let largest = floor;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(got[i]! - expected[i]!);
    worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(worst, difference);
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return worst / largest;
}

const STEP = 1e-5;

/**
 * @param tolerance of values, relative to the largest entry; gradients are allowed ten times as much, relative to their
 * norm times the direction's, since finite differences carry an error of their own.
 */
export function checkOp(
  inputs: Inputs,
  reference: (values: Record<string, Float64Array>) => Float64Array,
  op: (tensors: Record<string, tf.Tensor>) => tf.Tensor,
  random: Random,
  tolerance = 2e-5,
  floor?: number,
): void {
  const names = Object.keys(inputs);
  const values = Object.fromEntries(names.map((name) => [name, inputs[name]!.values]));
  const expected = reference(values);
  const weights = Float64Array.from(expected, () => random.normal());
  const objective = (changed: Record<string, Float64Array>) =>
    reference({ ...values, ...changed }).reduce((sum, y, i) => sum + y * weights[i]!, 0);
  tf.tidy(() => {
    const tensors = names.map((name) =>
      tf.tensor(Float32Array.from(inputs[name]!.values), inputs[name]!.shape),
    );
    const named = (list: tf.Tensor[]) => Object.fromEntries(names.map((name, i) => [name, list[i]!]));
    const y = op(named(tensors));
    expect(worstDifference(y.dataSync(), expected, floor)).toBeLessThan(tolerance);
    const dy = tf.tensor(Float32Array.from(weights), y.shape);
    const gradients = tf.grads((...list: tf.Tensor[]) => op(named(list)))(tensors, dy);
    names.forEach((name, i) => {
      const x = inputs[name]!.values;
      expect(gradients[i]!.shape).toEqual(inputs[name]!.shape);
      const gradient = gradients[i]!.dataSync() as Float32Array;
      const direction = Float64Array.from(x, () => random.normal());
      const moved = (sign: number) => objective({ [name]: x.map((v, j) => v + sign * STEP * direction[j]!) });
      const numeric = (moved(1) - moved(-1)) / (2 * STEP);
      const analytic = direction.reduce((sum, d, j) => sum + d * gradient[j]!, 0);
      const norm = Math.sqrt(
        direction.reduce((s, d) => s + d * d, 0) * gradient.reduce((s, g) => s + g * g, 0),
      );
      expect(Math.abs(analytic - numeric) / Math.max(norm, 1e-6), `gradient of ${name}`).toBeLessThan(
        10 * tolerance,
      );
    });
  });
}

export { createRandom };
