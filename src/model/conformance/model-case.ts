/**
 * A model's case: weights under their upstream names, a right-padded batch, the hidden state at each last real position,
 * the scores over all items, the loss, and the loss's gradient for every weight.
 */
import * as tf from '@tensorflow/tfjs';
import { linearCrossEntropy } from '../../kernels/cross-entropy/op.js';
import { embedding } from '../../kernels/embedding/op.js';
import { matMul } from '../../kernels/matmul/op.js';
import { UserError } from '../../util/errors.js';
import { DEFAULT_MODEL, type ModelConfig } from '../config.js';
import { modelOfNames } from '../files/tensor-settings.js';
import { COMMON_UPSTREAM, kindOf, type ModelName } from '../kinds.js';
import { createModel } from '../model.js';
import type { ModelSettings } from '../settings.js';
import { type Case, type CaseTensor, compare, type TensorError, tensorGroup, tidyErrors } from './cases.js';

/** The model that a case's weights belong to; undefined for one that we do not have. */
export function modelOfCase(content: Case): ModelName | undefined {
  const weights = content['weights'];
  if (typeof weights !== 'object' || weights === null) return undefined;
  return modelOfNames(Object.keys(weights));
}

/** A case that asks for what is not built here. */
export class NotCoveredError extends Error {}

/** Of every model: the loss that is computed, and the size of the item table. */
const ONLY: Record<string, unknown> = { loss_type: 'CE' };
const IDLE = ['n_items'];

/** @throws NotCoveredError for a setting that this version does not have, UserError where one is missing. */
function configOf(content: Case, name: ModelName, file: string): ModelConfig {
  const config = content['config'] as Record<string, unknown> | undefined;
  if (!config) throw new UserError(`the case has no 'config'`, { place: file });
  const { settings, only, idle = [] } = kindOf({ name }).upstream!;
  for (const { name: needed } of COMMON_UPSTREAM)
    if (!(needed in config)) throw new UserError(`the case's config has no ${needed}`, { place: file });
  const found: Partial<ModelSettings> = {};
  for (const [key, value] of Object.entries(config)) {
    const setting = [...COMMON_UPSTREAM, ...settings].find((known) => known.name === key);
    if (setting) Object.assign(found, setting.read(value));
    else if (![...IDLE, ...idle].includes(key) && { ...ONLY, ...only }[key] !== value)
      throw new NotCoveredError(`the case has ${key}: ${JSON.stringify(value)}, which is not built here`);
  }
  // Numbers of cases are computed without dropout.
  return { ...DEFAULT_MODEL, init: 'mamba4rec', ...found, dropout: 0, name };
}

export function checkModelCase(content: Case, name: ModelName, file: string): TensorError[] {
  const expected = tensorGroup(content, 'weights', file);
  const grads = tensorGroup(content, 'grads', file);
  const inputs = tensorGroup(content, 'inputs', file);
  const [rows, length] = inputs['item_id_list']!.shape as [number, number];
  const items = Int32Array.from(inputs['item_id_list']!.data);
  const lengths = inputs['item_length']!.data;
  const targets = Int32Array.from(inputs['item_id']!.data);
  const numItems = Number((content['config'] as Record<string, number>)['n_items']) - 1;
  const model = createModel(configOf(content, name, file), numItems, 0);
  try {
    model.weights.write(
      new Map(Object.entries(expected).map(([key, t]) => [key, Float32Array.from(t.data)])),
    );
    const reset = new Int32Array(rows * length);
    for (let r = 0; r < rows; r++) reset[r * length] = 1;
    const stamps = inputs['timestamp_list'];
    const times = stamps ? { timestamps: Float64Array.from(stamps.data) } : {};
    const last = () => {
      const positions = tf.tensor1d(
        Int32Array.from(lengths, (n, r) => r * length + n - 1),
        'int32',
      );
      return embedding(model.hidden({ rows, length, items, reset, ...times }), positions);
    };
    return tidyErrors(() => {
      const errors: TensorError[] = [];
      const hidden = last();
      errors.push(compare('seq_output', hidden.dataSync(), (content['seq_output'] as CaseTensor).data));
      const scores = matMul(hidden, model.itemTable(), false, true);
      errors.push(compare('scores', scores.dataSync(), (content['scores'] as CaseTensor).data));
      const loss = () => linearCrossEntropy(last(), model.itemTable(), targets);
      const { value, grads: gradients } = tf.variableGrads(loss, model.weights.list());
      errors.push(compare('loss', value.dataSync(), [Number(content['loss'])]));
      const byName = new Map(
        model.weights.list().map((variable, i) => [model.weights.names()[i]!, variable]),
      );
      for (const [key, gradient] of Object.entries(grads)) {
        const variable = byName.get(key);
        // A weight that the loss does not reach (the last layer's time signal goes nowhere) has no gradient on the tape.
        const got = variable && (gradients[variable.name]?.dataSync() ?? new Float32Array(variable.size));
        errors.push(compare(`grad ${key}`, got ?? [], gradient.data));
      }
      return errors;
    });
  } finally {
    model.weights.dispose();
  }
}
