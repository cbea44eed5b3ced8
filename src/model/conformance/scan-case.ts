/** A selective-scan case: inputs in the published layout [batch, channel, length], y, and every gradient for a grad_y. */
import * as tf from '@tensorflow/tfjs';
import { type ScanInputs, selectiveScan } from '../../kernels/selective-scan/op.js';
import {
  type Case,
  type CaseTensor,
  compare,
  type TensorError,
  tensorGroup,
  tidyErrors,
  toTensor,
} from './cases.js';

/** Published name, our name, and whether the last two axes are swapped between the layouts. */
const INPUTS: [published: string, ours: keyof ScanInputs, swapped: boolean][] = [
  ['u', 'x', true],
  ['delta', 'delta', true],
  ['A', 'A', false],
  ['B', 'B', true],
  ['C', 'C', true],
  ['D', 'D', false],
  ['z', 'z', true],
  ['delta_bias', 'deltaBias', false],
];

export function isScanCase(content: Case): boolean {
  return 'grad_y' in content && 'delta_softplus' in content;
}

export function checkScanCase(content: Case, file: string): TensorError[] {
  const inputs = tensorGroup(content, 'inputs', file);
  const grads = tensorGroup(content, 'grads', file);
  const softplus = Boolean(content['delta_softplus']);
  return tidyErrors(() => {
    const load = (tensor: CaseTensor, swapped: boolean) =>
      swapped ? tf.transpose(toTensor<tf.Tensor3D>(tensor), [0, 2, 1]) : toTensor(tensor);
    const present = INPUTS.filter(([name]) => inputs[name]);
    const tensors = present.map(([name, , swapped]) => load(inputs[name]!, swapped));
    const run = (...values: tf.Tensor[]) =>
      selectiveScan(
        Object.fromEntries(present.map(([, ours], i) => [ours, values[i]])) as unknown as ScanInputs,
        softplus,
      );
    const back = (tensor: tf.Tensor, swapped: boolean) =>
      (swapped ? tf.transpose(tensor, [0, 2, 1]) : tensor).dataSync();
    const gradY = load(content['grad_y'] as CaseTensor, true);
    const { value, grads: gradients } = tf.valueAndGrads(
      (...v) => tf.sum(tf.mul(run(...v), gradY)) as tf.Scalar,
    )(tensors);
    value.dispose();
    const errors = [compare('y', back(run(...tensors), true), (content['y'] as CaseTensor).data)];
    present.forEach(([name, , swapped], i) => {
      if (grads[name]) errors.push(compare(`grad ${name}`, back(gradients[i]!, swapped), grads[name].data));
    });
    return errors;
  });
}
