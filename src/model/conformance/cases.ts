/**
 * Cases computed by the published implementations (JSON: weights, inputs, outputs, gradients) and how far we are from
 * them. A case's kind is read off its content, not off its file name.
 */
import * as tf from '@tensorflow/tfjs';
import { UserError } from '../../util/errors.js';

export interface CaseTensor {
  shape: number[];
  dtype: string;
  data: number[];
}

/** The worst entry of one tensor. */
export interface TensorError {
  tensor: string;
  /** Largest absolute difference over the largest absolute entry expected. */
  relative: number;
}

export interface CaseReport {
  file: string;
  kind: string;
  /** `not covered`: a kind of case that this version does not know; never counted as passed. */
  status: 'passed' | 'failed' | 'not covered';
  errors: TensorError[];
  worst: number;
  message?: string;
}

export type Case = Record<string, unknown>;

export function isTensor(value: unknown): value is CaseTensor {
  return typeof value === 'object' && value !== null && 'shape' in value && 'data' in value;
}

/** A group of named tensors (`inputs`, `weights`, `grads`). */
export function tensorGroup(content: Case, group: string, file: string): Record<string, CaseTensor> {
  const value = content[group];
  if (typeof value !== 'object' || value === null)
    throw new UserError(`the case has no '${group}'`, { place: file });
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, CaseTensor] => isTensor(entry[1])),
  );
}

export function toTensor<T extends tf.Tensor>(tensor: CaseTensor): T {
  return tf.tensor(tensor.data, tensor.shape, tensor.dtype === 'int32' ? 'int32' : 'float32') as T;
}

/** Difference relative to the largest entry expected; infinite where a value is not a number or sizes differ. */
export function compare(tensor: string, got: ArrayLike<number>, expected: ArrayLike<number>): TensorError {
  if (got.length !== expected.length) return { tensor, relative: Number.POSITIVE_INFINITY };
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(got[i]! - expected[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return { tensor, relative: worst === 0 ? 0 : worst / (largest || 1) };
}

/** tf.tidy for a function that returns numbers. */
export function tidyErrors(check: () => TensorError[]): TensorError[] {
  let errors: TensorError[] = [];
  tf.tidy(() => {
    errors = check();
  });
  return errors;
}
