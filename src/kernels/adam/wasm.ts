/** Adam on wasm (assembly/elementwise.ts), in place on the heap. */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import { wasmKernel } from '../wasm/module.js';

export const kernels: tf.KernelConfig[] = [
  wasmKernel('AdamStep', ({ at, spread }, { p, m, v, g }, attrs) => {
    const s = attrs as Record<string, number>;
    const addresses = [p, g, m, v].map(at);
    const settings = [
      s['rate']!,
      s['beta1']!,
      1 - s['beta1']!,
      s['beta2']!,
      1 - s['beta2']!,
      s['epsilon']!,
      s['correction1']!,
      s['correction2']!,
      s['weightDecay']!,
      s['clip']!,
    ];
    spread('adam', sizeOf(p!), { least: 32_768, step: 8 }, (first, n) => [
      n,
      ...addresses.map((address) => address + 4 * first),
      ...settings,
    ]);
    return [];
  }),
  wasmKernel('SumOfSquares', ({ exports, at, output, write }, { x }) => {
    const out = output([]);
    write(out, exports.sumOfSquares(sizeOf(x!), at(x)));
    return out;
  }),
];
