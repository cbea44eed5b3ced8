/** The optimiser's step, fused: a parameter and its two moments are updated in place where the backend can. */
import * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../backend.js';

export interface AdamSettings {
  rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: the parameter shrinks by rate * weightDecay a step. */
  weightDecay: number;
  /** Factor on the gradient, from clipping by the global norm; 1 where nothing is clipped. */
  clip: number;
}

/**
 * p, m, v <- one Adam step with gradient g. All four have one shape.
 * @param step number of this step, from 1.
 */
export function adamStep(
  p: tf.Variable,
  m: tf.Variable,
  v: tf.Variable,
  g: tf.Tensor,
  step: number,
  s: AdamSettings,
): void {
  const correction1 = 1 - s.beta1 ** step;
  const correction2 = 1 - s.beta2 ** step;
  if (hasKernel('AdamStep')) {
    tf.engine().runKernel('AdamStep', { p, m, v, g }, { ...s, correction1, correction2 });
    return;
  }
  tf.tidy(() => {
    const scaled = tf.mul(g, s.clip);
    m.assign(tf.add(tf.mul(m, s.beta1), tf.mul(scaled, 1 - s.beta1)));
    v.assign(tf.add(tf.mul(v, s.beta2), tf.mul(tf.square(scaled), 1 - s.beta2)));
    const change = tf.div(tf.div(m, correction1), tf.add(tf.sqrt(tf.div(v, correction2)), s.epsilon));
    p.assign(tf.sub(tf.mul(p, 1 - s.rate * s.weightDecay), tf.mul(change, s.rate)));
  });
}

/** Sum of the squares of several tensors, in double precision where the backend has a kernel for it. */
export function sumOfSquares(tensors: tf.Tensor[]): number {
  if (!hasKernel('SumOfSquares'))
    return tf.tidy(() => tensors.reduce((sum, t) => sum + tf.sum(tf.square(t)).dataSync()[0]!, 0));
  return tensors.reduce((sum, x) => {
    const part = tf.engine().runKernel('SumOfSquares', { x }) as tf.Tensor;
    const value = part.dataSync()[0]!;
    part.dispose();
    return sum + value;
  }, 0);
}
