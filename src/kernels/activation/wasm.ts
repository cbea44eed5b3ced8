/** Activations' kernels on wasm (assembly/elementwise.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import type { KernelExports } from '../wasm/exports.js';
import { wasmKernel } from '../wasm/module.js';

/** Elements. */
const PARTS = { least: 12_288, step: 8 };

/** An activation's two kernels, of which the second gets dy as well. */
function activation(
  name: string,
  forward: keyof KernelExports,
  backward: keyof KernelExports,
): tf.KernelConfig[] {
  return [
    wasmKernel(name, ({ at, output, spread }, { x }) => {
      const y = output(x!.shape);
      const [from, to] = [at(x), at(y)];
      spread(forward, sizeOf(x!), PARTS, (first, n) => [n, from + 4 * first, to + 4 * first]);
      return y;
    }),
    wasmKernel(`${name}Grad`, ({ at, output, spread }, { x, dy }) => {
      const dx = output(x!.shape);
      const [from, above, to] = [at(x), at(dy), at(dx)];
      spread(backward, sizeOf(x!), PARTS, (first, n) => [
        n,
        from + 4 * first,
        above + 4 * first,
        to + 4 * first,
      ]);
      return dx;
    }),
  ];
}

export const kernels: tf.KernelConfig[] = [
  ...activation('GeluErf', 'geluForward', 'geluBackward'),
  ...activation('Hardswish', 'hardswishForward', 'hardswishBackward'),
];
