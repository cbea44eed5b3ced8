/** Our side: a model with its optimiser, the gradients that the other side is checked against, and timed steps. */
import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs';
import { linearCrossEntropy } from '../../../src/kernels/cross-entropy/op.js';
import type { ModelConfig } from '../../../src/model/config.js';
import { encodeSafetensors, type StoredTensor } from '../../../src/model/files/safetensors.js';
import { createModel } from '../../../src/model/model.js';
import { DEFAULT_TRAINING } from '../../../src/train/config.js';
import type { TrainingBatch } from '../../../src/train/step/batches.js';
import { createOptimizer } from '../../../src/train/step/optimizer.js';

export interface Ours {
  parameters: number;
  writeWeights(path: string): void;
  /** Without dropout; writes the gradients and returns the loss. */
  writeGradients(path: string, batch: TrainingBatch): Promise<number>;
  /** An optimiser step on each batch, dropout included; waits until the device is done. */
  train(batches: TrainingBatch[]): Promise<void>;
  dispose(): void;
}

export function createOurs(config: ModelConfig, numItems: number): Ours {
  const model = createModel(config, numItems, 1);
  const optimizer = createOptimizer(model.weights, DEFAULT_TRAINING);
  const variables = model.weights.list();
  let step = 0;
  const differentiate = (batch: TrainingBatch, seed?: number) =>
    tf.variableGrads(
      () => linearCrossEntropy(model.hidden(batch, seed), model.itemTable(), batch.targets),
      variables,
    );
  // A weight that the loss does not reach has no gradient on the tape.
  const gradientsOf = (grads: tf.NamedTensorMap) => variables.map((v) => grads[v.name] ?? tf.zeros(v.shape));
  return {
    parameters: model.weights.size(),
    writeWeights: (path) => writeFileSync(path, model.weights.encode({})),
    async writeGradients(path, batch) {
      const [value, ...gradients] = tf.tidy(() => {
        const { value, grads } = differentiate(batch);
        return [value as tf.Tensor, ...gradientsOf(grads)];
      });
      const names = model.weights.names();
      const tensors = await Promise.all(
        gradients.map(async (g, i) => [names[i]!, await stored(g)] as [string, StoredTensor]),
      );
      writeTensors(path, new Map(tensors));
      const [loss] = await value!.data();
      tf.dispose([value!, ...gradients]);
      return loss!;
    },
    async train(batches) {
      for (const batch of batches) {
        const value = tf.tidy(() => {
          const result = differentiate(batch, ++step);
          optimizer.apply(gradientsOf(result.grads), step, 1e6);
          return result.value;
        });
        await value.data();
        value.dispose();
      }
      // Written by the last update: a device has then done everything.
      await variables[0]!.data();
    },
    dispose() {
      model.weights.dispose();
      optimizer.dispose();
    },
  };
}

export async function stored(tensor: tf.Tensor): Promise<StoredTensor> {
  return { shape: tensor.shape, values: (await tensor.data()) as Float32Array };
}

export function writeTensors(path: string, tensors: Map<string, StoredTensor>): void {
  writeFileSync(path, encodeSafetensors({ tensors, metadata: {} }));
}
