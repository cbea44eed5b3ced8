/** What a training step minimises: the mean cross-entropy over all items, or over the target and sampled negatives. */
import type * as tf from '@tensorflow/tfjs';
import type { Sequences } from '../../data/interactions.js';
import { linearCrossEntropy } from '../../kernels/cross-entropy/op.js';
import { sampledCrossEntropy } from '../../kernels/sampled-cross-entropy/op.js';
import type { SequenceModel } from '../../model/model.js';
import type { TrialConfig } from '../config.js';
import type { TrainingBatch } from './batches.js';
import { negativesOf } from './negatives.js';

/** @param step steps done before this one; seeds its negatives. @param dropoutSeed of the step. */
export type BatchLoss = (batch: TrainingBatch, step: number, dropoutSeed: number) => tf.Scalar;

/** @param sequences the training histories, from which popularity is counted. */
export function createLoss(config: TrialConfig, model: SequenceModel, sequences: Sequences): BatchLoss {
  const negatives = negativesOf(config, sequences, model.numItems);
  return (batch, step, dropoutSeed) => {
    const hidden = model.hidden(batch, dropoutSeed);
    return negatives
      ? sampledCrossEntropy(hidden, model.itemTable(), batch.targets, negatives(step))
      : linearCrossEntropy(hidden, model.itemTable(), batch.targets);
  };
}
