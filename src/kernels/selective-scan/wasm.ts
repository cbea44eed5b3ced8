/** The selective scan's kernels on wasm (assembly/selective-scan.ts, assembly/head-scan.ts). */
import type * as tf from '@tensorflow/tfjs';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';

/** What tells the two forms of the op apart: the compiled functions, and the sizes that they begin with. */
interface ScanForm {
  name: string;
  /** channels, (heads,) states */
  widths(inputs: tf.NamedTensorInfoMap): number[];
  forward: 'scanForward' | 'headScanForward';
  backward: 'scanBackward' | 'headScanBackward';
  keptFloats: 'scanKeptFloats' | 'headScanKeptFloats';
}

const FORMS: ScanForm[] = [
  {
    name: 'SelectiveScan',
    widths: ({ A }) => [A!.shape[0]!, A!.shape[1]!],
    forward: 'scanForward',
    backward: 'scanBackward',
    keptFloats: 'scanKeptFloats',
  },
  {
    name: 'HeadScan',
    widths: ({ x, A, B }) => [x!.shape[2]!, A!.shape[0]!, B!.shape[2]!],
    forward: 'headScanForward',
    backward: 'headScanBackward',
    keptFloats: 'headScanKeptFloats',
  },
];

/** The arguments that both directions begin with, in the order of the compiled functions. */
function leading({ at }: WasmKernels, form: ScanForm, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap) {
  const { x, delta, A, B, C, D, z, deltaBias, reset } = inputs;
  const [batch, length] = x!.shape as [number, number];
  const addresses = [x, delta, A, B, C, D, z, deltaBias].map(at);
  return [batch, length, ...form.widths(inputs), ...addresses, Number(attrs['deltaSoftplus']), at(reset)];
}

type Numeric = (...args: number[]) => number;

function scanKernels(form: ScanForm): tf.KernelConfig[] {
  return [
    wasmKernel(form.name, (wasm, inputs, attrs) => {
      const [batch, length] = inputs['x']!.shape as [number, number];
      const widths = form.widths(inputs);
      const y = wasm.output(inputs['x']!.shape);
      // States at the beginning of every block, for the way back.
      const kept = attrs['recorded']
        ? wasm.output([batch, (wasm.exports[form.keptFloats] as Numeric)(length, ...widths)])
        : undefined;
      const scratch = wasm.scratch((wasm.exports[`${form.forward}Bytes`] as Numeric)(...widths));
      const args = leading(wasm, form, inputs, attrs);
      (wasm.exports[form.forward] as Numeric)(...args, wasm.at(y), wasm.at(kept), scratch);
      return kept ? [y, kept] : y;
    }),
    wasmKernel(`${form.name}Grad`, (wasm, inputs, attrs) => {
      const { x, delta, A, B, C, D, z, deltaBias, dy, kept } = inputs;
      const gradients = [x, delta, A, B, C, D, z, deltaBias].map(
        (tensor) => tensor && wasm.output(tensor.shape),
      );
      const scratch = wasm.scratch(
        (wasm.exports[`${form.backward}Bytes`] as Numeric)(...form.widths(inputs)),
      );
      const args = leading(wasm, form, inputs, attrs);
      const addresses = [dy, ...gradients, kept].map(wasm.at);
      (wasm.exports[form.backward] as Numeric)(...args, ...addresses, scratch);
      return gradients.filter((tensor) => tensor !== undefined);
    }),
  ];
}

export const kernels: tf.KernelConfig[] = FORMS.flatMap(scanKernels);
