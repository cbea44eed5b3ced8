/** The selective scan's kernels on wasm (assembly/selective-scan.ts, assembly/head-scan.ts). */
import type * as tf from '@tensorflow/tfjs';
import { type WasmKernels, wasmKernel } from '../wasm/module.js';

/** What tells the two forms of the op apart: the compiled functions, and the sizes that they begin with. */
interface ScanForm {
  name: string;
  /** batch, length, channels, (heads,) states */
  sizes(inputs: tf.NamedTensorInfoMap): number[];
  scratchBytes: 'scanScratchBytes' | 'headScanScratchBytes';
  forward: 'scanForward' | 'headScanForward';
  backward: 'scanBackward' | 'headScanBackward';
}

const FORMS: ScanForm[] = [
  {
    name: 'SelectiveScan',
    sizes: ({ x, A }) => [...x!.shape, A!.shape[1]!],
    scratchBytes: 'scanScratchBytes',
    forward: 'scanForward',
    backward: 'scanBackward',
  },
  {
    name: 'HeadScan',
    sizes: ({ x, A, B }) => [...x!.shape, A!.shape[0]!, B!.shape[2]!],
    scratchBytes: 'headScanScratchBytes',
    forward: 'headScanForward',
    backward: 'headScanBackward',
  },
];

/** The arguments that both directions begin with, in the order of the compiled functions. */
function leading({ at }: WasmKernels, form: ScanForm, inputs: tf.NamedTensorInfoMap, attrs: tf.NamedAttrMap) {
  const { x, delta, A, B, C, D, z, deltaBias, reset } = inputs;
  const addresses = [x, delta, A, B, C, D, z, deltaBias].map(at);
  return [...form.sizes(inputs), ...addresses, Number(attrs['deltaSoftplus']), at(reset)];
}

/** Calls a compiled function whose arguments are all numbers. */
function call(kernels: WasmKernels, name: ScanForm['forward' | 'backward'], args: number[]): void {
  (kernels.exports[name] as (...args: number[]) => void)(...args);
}

function scratchOf(kernels: WasmKernels, form: ScanForm, inputs: tf.NamedTensorInfoMap): number {
  const [length, states] = [inputs['x']!.shape[1]!, form.sizes(inputs).at(-1)!];
  return kernels.scratch(kernels.exports[form.scratchBytes](length, states));
}

function scanKernels(form: ScanForm): tf.KernelConfig[] {
  return [
    wasmKernel(form.name, (wasm, inputs, attrs) => {
      const y = wasm.output(inputs['x']!.shape);
      const args = leading(wasm, form, inputs, attrs);
      call(wasm, form.forward, [...args, wasm.at(y), scratchOf(wasm, form, inputs)]);
      return y;
    }),
    wasmKernel(`${form.name}Grad`, (wasm, inputs, attrs) => {
      const { x, delta, A, B, C, D, z, deltaBias, dy } = inputs;
      const gradients = [x, delta, A, B, C, D, z, deltaBias].map(
        (tensor) => tensor && wasm.output(tensor.shape),
      );
      call(wasm, form.backward, [
        ...leading(wasm, form, inputs, attrs),
        wasm.at(dy),
        ...gradients.map(wasm.at),
        scratchOf(wasm, form, inputs),
      ]);
      return gradients.filter((tensor) => tensor !== undefined);
    }),
  ];
}

export const kernels: tf.KernelConfig[] = FORMS.flatMap(scanKernels);
