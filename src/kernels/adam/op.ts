/** The optimiser's step, fused: a parameter and its two moments are updated in place where the backend can. */
import * as tf from '@tensorflow/tfjs';
import { hasKernel } from '../fused.js';

export interface AdamSettings {
  rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  /** Decoupled: the parameter shrinks by rate * weightDecay a step. */
  weightDecay: number;
  /** Factor on the gradient, from clipping by the global norm; 1 where nothing is clipped. A tensor stays on the GPU. */
  clip: number | tf.Scalar;
}

/** A parameter, its moments and its gradient: four tensors of one shape. */
export interface AdamTensors {
  p: tf.Variable;
  m: tf.Variable;
  v: tf.Variable;
  g: tf.Tensor;
}

/**
 * One Adam step of every parameter: p, m, v <- step with gradient g.
 * @param step number of this step, from 1.
 */
export function adamSteps(states: readonly AdamTensors[], step: number, settings: AdamSettings): void {
  const { clip, ...s } = settings;
  const attrs = { ...s, correction1: 1 - s.beta1 ** step, correction2: 1 - s.beta2 ** step };
  if (hasKernel('AdamSteps')) {
    const numbered = Object.assign(
      {},
      ...states.map(({ p, m, v, g }, i) => ({ [`p${i}`]: p, [`m${i}`]: m, [`v${i}`]: v, [`g${i}`]: g })),
    ) as tf.NamedTensorMap;
    if (typeof clip === 'number') tf.engine().runKernel('AdamSteps', numbered, { ...attrs, clip });
    else tf.engine().runKernel('AdamSteps', { ...numbered, clip }, attrs);
    return;
  }
  if (hasKernel('AdamStep')) {
    const number = typeof clip === 'number' ? clip : clip.dataSync()[0]!;
    for (const { p, m, v, g } of states)
      tf.engine().runKernel('AdamStep', { p, m, v, g }, { ...attrs, clip: number });
    return;
  }
  for (const { p, m, v, g } of states)
    tf.tidy(() => {
      const scaled = tf.mul(g, clip);
      m.assign(tf.add(tf.mul(m, s.beta1), tf.mul(scaled, 1 - s.beta1)));
      v.assign(tf.add(tf.mul(v, s.beta2), tf.mul(tf.square(scaled), 1 - s.beta2)));
      const change = tf.div(
        tf.div(m, attrs.correction1),
        tf.add(tf.sqrt(tf.div(v, attrs.correction2)), s.epsilon),
      );
      p.assign(tf.sub(tf.mul(p, 1 - s.rate * s.weightDecay), tf.mul(change, s.rate)));
    });
}

/**
 * The factor that brings gradients down to a global norm: min(1, norm / their norm). Where the backend computes it on a GPU
 * it is a tensor, so that nobody waits for it.
 */
export function clipFactor(gradients: readonly tf.Tensor[], norm: number): number | tf.Scalar {
  if (hasKernel('ClipFactor')) {
    const numbered = Object.fromEntries(gradients.map((x, i) => [`x${i}`, x]));
    return tf.engine().runKernel('ClipFactor', numbered, { norm }) as tf.Scalar;
  }
  const found = Math.sqrt(sumOfSquares(gradients));
  return found > norm ? norm / found : 1;
}

/** Sum of the squares of several tensors, in double precision where the backend has a kernel for it. */
export function sumOfSquares(tensors: readonly tf.Tensor[]): number {
  if (!hasKernel('SumOfSquares'))
    return tf.tidy(() => tensors.reduce((sum, t) => sum + tf.sum(tf.square(t)).dataSync()[0]!, 0));
  return tensors.reduce((sum, x) => {
    const part = tf.engine().runKernel('SumOfSquares', { x }) as tf.Tensor;
    const value = part.dataSync()[0]!;
    part.dispose();
    return sum + value;
  }, 0);
}
