/** One Adam step by its definition (Kingma and Ba 2015; decoupled weight decay: Loshchilov and Hutter 2019), float64. */
import type { AdamSettings } from './op.js';

export interface AdamState {
  p: Float64Array;
  m: Float64Array;
  v: Float64Array;
}

/** Updates `state` in place with gradient g; `step` starts at 1. */
export function adamReference(
  state: AdamState,
  g: ArrayLike<number>,
  step: number,
  s: AdamSettings & { clip: number },
): void {
  for (let i = 0; i < g.length; i++) {
    const gi = g[i]! * s.clip;
    state.m[i] = s.beta1 * state.m[i]! + (1 - s.beta1) * gi;
    state.v[i] = s.beta2 * state.v[i]! + (1 - s.beta2) * gi * gi;
    const mHat = state.m[i]! / (1 - s.beta1 ** step);
    const vHat = state.v[i]! / (1 - s.beta2 ** step);
    state.p[i]! -= s.rate * (mHat / (Math.sqrt(vHat) + s.epsilon) + s.weightDecay * state.p[i]!);
  }
}
