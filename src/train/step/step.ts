/** One optimiser step: loss and gradients of a batch, and the weights' change. */
import * as tf from '@tensorflow/tfjs';
import type { LateScalars } from '../../kernels/late.js';
import type { SequenceModel } from '../../model/model.js';
import type { TrainingBatch } from './batches.js';
import type { BatchLoss } from './loss.js';
import type { Optimizer } from './optimizer.js';

/** What a step changes, and by which loss. */
export interface Trained {
  model: SequenceModel;
  optimizer: Optimizer;
  loss: BatchLoss;
}

/** Where in a training a step stands. */
export interface StepPlace {
  /** Steps done before it. */
  step: number;
  /** Steps of the whole training, for the schedule of the rate. */
  totalSteps: number;
  dropoutSeed: number;
}

/**
 * One optimiser step; the mean loss of the batch goes to `losses`. Where that is known at once and no finite number, the weights
 * stay as they are.
 */
export function trainStep(
  { model, optimizer, loss }: Trained,
  batch: TrainingBatch,
  { step, totalSteps, dropoutSeed }: StepPlace,
  losses: LateScalars,
): void {
  tf.tidy(() => {
    const parameters = model.weights.list();
    const { value, grads } = tf.variableGrads(() => loss(batch, step, dropoutSeed), parameters);
    if (!losses.atOnce || Number.isFinite(value.dataSync()[0]))
      optimizer.apply(
        // A weight that the loss does not reach has no gradient on the tape.
        parameters.map((p) => grads[p.name] ?? tf.zeros(p.shape)),
        step + 1,
        totalSteps,
      );
    losses.add(value);
  });
}
