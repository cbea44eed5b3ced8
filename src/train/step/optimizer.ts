/** Adam over all weights of a model, with warm-up, schedule, clipping, and weight decay of those that decay. */
import * as tf from '@tensorflow/tfjs';
import { adamSteps, clipFactor } from '../../kernels/adam/op.js';
import type { Weights } from '../../model/weights.js';
import { isHiddenMatrix } from '../../model/width.js';
import type { TrainingConfig } from '../config.js';
import { ratesAt } from '../rate.js';

const BETA1 = 0.9;
const BETA2 = 0.999;
const ADAM_EPSILON = 1e-8;
/** Where half a cosine ends, as a share of the base rate. */
const FINAL_SHARE = 0.1;

/** Learning rate of a step (from 1) out of `totalSteps`, of weights whose rate is `base` after the warm-up. */
export function learningRate(
  { schedule, warmup }: Pick<TrainingConfig, 'schedule' | 'warmup'>,
  base: number,
  step: number,
  totalSteps: number,
): number {
  if (step <= warmup) return (base * step) / warmup;
  if (schedule === 'constant') return base;
  const progress = Math.min(1, (step - warmup) / Math.max(1, totalSteps - warmup));
  return base * (FINAL_SHARE + (1 - FINAL_SHARE) * 0.5 * (1 + Math.cos(Math.PI * progress)));
}

/**
 * Whether weight decay shrinks a weight: matrices, convolutions and tables. A_log, D, biases and the scales of norms are left
 * alone, as in Mamba's own recipe (state-spaces/mamba marks A_log, D and dt_bias `_no_weight_decay`, its trainings leave out what
 * has one dimension): decay would pull decay rates of the state towards 1 and scales towards 0.
 */
export function decays(name: string, shape: readonly number[]): boolean {
  return shape.length > 1 && !/(^|\.)A_log$/.test(name);
}

export interface Optimizer {
  /** Updates every weight; `gradients` in the order of the weights. `step` counts from 1. */
  apply(gradients: tf.Tensor[], step: number, totalSteps: number): void;
  /** First and second moments by weight name (`m/NAME`, `v/NAME`). */
  read(): Map<string, Float32Array>;
  write(values: ReadonlyMap<string, Float32Array>): void;
  dispose(): void;
}

/**
 * Weights of one rate are updated together.
 * @param dim the model's embedding size, for rates that follow the width.
 */
export function createOptimizer(weights: Weights, config: TrainingConfig, dim?: number): Optimizer {
  if (typeof config.learningRate !== 'number' && dim === undefined)
    throw new Error('a learning rate that follows the width needs the dim');
  const rates = ratesAt(config.learningRate, dim ?? 1);
  const names = weights.names();
  const parameters = weights.list();
  const zeros = () => parameters.map((p) => tf.tidy(() => tf.variable(tf.zeros(p.shape), false)));
  const m = zeros();
  const v = zeros();
  const moments = names.flatMap((name, i) => [
    [`m/${name}`, m[i]!],
    [`v/${name}`, v[i]!],
  ]) as [string, tf.Variable][];
  const everything = parameters.map((_, i) => i);
  const isHidden = (i: number) => isHiddenMatrix(names[i]!, parameters[i]!.shape);
  const shrinks = (i: number) => config.weightDecay > 0 && decays(names[i]!, parameters[i]!.shape);
  const byRate =
    rates.hidden === rates.others
      ? [{ base: rates.others, members: everything }]
      : [
          { base: rates.others, members: everything.filter((i) => !isHidden(i)) },
          { base: rates.hidden, members: everything.filter(isHidden) },
        ];
  /** Weights of one rate and one decay each. */
  const groups = byRate.flatMap(({ base, members }) =>
    [
      { base, weightDecay: 0, members: members.filter((i) => !shrinks(i)) },
      { base, weightDecay: config.weightDecay, members: members.filter(shrinks) },
    ].filter((group) => group.members.length > 0),
  );
  return {
    apply(gradients, step, totalSteps) {
      const clip = config.clipNorm > 0 ? clipFactor(gradients, config.clipNorm) : 1;
      const settings = {
        beta1: BETA1,
        beta2: BETA2,
        epsilon: ADAM_EPSILON,
        clip,
      };
      for (const { base, weightDecay, members } of groups)
        adamSteps(
          members.map((i) => ({ p: parameters[i]!, m: m[i]!, v: v[i]!, g: gradients[i]! })),
          step,
          { ...settings, weightDecay, rate: learningRate(config, base, step, totalSteps) },
        );
      if (typeof clip !== 'number') clip.dispose();
    },
    read: () => new Map(moments.map(([name, variable]) => [name, variable.dataSync() as Float32Array])),
    write(values) {
      for (const [name, variable] of moments) {
        const value = values.get(name);
        if (!value || value.length !== variable.size)
          throw new Error(`moment '${name}' is missing or of another size`);
        tf.tidy(() => variable.assign(tf.tensor(value, variable.shape)));
      }
    },
    dispose() {
      for (const [, variable] of moments) variable.dispose();
    },
  };
}
