/** What every sequence model offers to training and evaluation, whatever is inside. */
import type * as tf from '@tensorflow/tfjs';
import type { ModelConfig } from './config.js';
import type { Weights } from './weights.js';

/** Packed rows of histories. */
export interface PackedBatch {
  rows: number;
  length: number;
  /** [rows * length], 0 where padded. */
  items: Int32Array;
  /** [rows * length]: 1 where a history begins. */
  reset: Int32Array;
  /** [rows * length]: Unix seconds of each item; anything where padded. Models with a time path need them. */
  timestamps?: Float64Array;
}

export interface SequenceModel {
  readonly config: ModelConfig;
  /** Items of the catalogue; ids are 1..numItems, and 0 is padding. */
  readonly numItems: number;
  readonly weights: Weights;
  /**
   * Hidden state at every position, [rows * length, dim].
   * @param dropoutSeed seeds this step's dropout; undefined: no dropout (evaluation).
   */
  hidden(batch: PackedBatch, dropoutSeed?: number): tf.Tensor2D;
  /** The table that scores are taken against, [numItems + 1, dim]. */
  itemTable(): tf.Tensor2D;
}
