/** Embedding lookup: rows of a table by index, with a gradient that adds up in a fixed order. */
import type * as tf from '@tensorflow/tfjs';
import { fusedOp, hasKernel } from '../fused.js';
import { composedEmbedding } from './composed.js';

/**
 * @param table [rows, width]
 * @param indices int32 [n], each within [0, rows); not checked.
 * @returns [n, width]
 */
export function embedding(table: tf.Tensor2D, indices: tf.Tensor1D): tf.Tensor2D {
  if (!hasKernel('EmbeddingLookup')) return composedEmbedding(table, indices);
  return fusedOp('EmbeddingLookup', { table }, { indices }, {});
}
