/**
 * Where does the time of a training step go? Every kernel of each model's step by its share of the time: ours and tfjs's
 * own; products with the GFLOP/s they reach. What is left is tfjs's tape and JavaScript around the kernels.
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { modelSteps, STEP_TOKENS } from './model-steps.js';

interface Spent {
  calls: number;
  seconds: number;
  flops: number;
}

const spent = new Map<string, Spent>();
/** Kernels with which the project's own files are registered. */
const own = new Set<string>();
const PRODUCTS = new Set(['MatMul2D', 'MatMul2DGrad', 'Linear', 'LinearGrad', 'LinearCrossEntropy']);

it('kernels of the training steps', async () => {
  await openBackend('composed');
  const others = new Set(tf.getKernelsForBackend('composed').map((kernel) => kernel.kernelName));
  await openBackend('wasm');
  for (const kernel of tf.getKernelsForBackend('wasm')) {
    if (!others.has(kernel.kernelName)) own.add(kernel.kernelName);
    measure(kernel);
  }
  own.add('Identity');
  for (const { name, run } of modelSteps()) {
    for (let i = 0; i < 3; i++) run();
    spent.clear();
    const rounds = 8;
    const begun = cpuSeconds();
    for (let i = 0; i < rounds; i++) run();
    print(name, (cpuSeconds() - begun) / rounds, rounds);
  }
});

/** Of this process: unlike the time on the wall it does not grow when others use the machine. */
function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Registers the kernel again with a clock around it. Only calls from outside are counted, not what a kernel calls itself. */
function measure(kernel: tf.KernelConfig): void {
  const { kernelName, backendName, kernelFunc } = kernel;
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...kernel,
    kernelFunc: (args) => {
      const begun = cpuSeconds();
      const result = kernelFunc(args);
      const seconds = cpuSeconds() - begun;
      const entry = spent.get(kernelName) ?? { calls: 0, seconds: 0, flops: 0 };
      entry.calls++;
      entry.seconds += seconds;
      if (PRODUCTS.has(kernelName))
        entry.flops += flopsOf(kernelName, args.inputs as tf.NamedTensorInfoMap, result);
      spent.set(kernelName, entry);
      return result;
    },
  });
}

function flopsOf(
  name: string,
  inputs: tf.NamedTensorInfoMap,
  result: tf.TensorInfo | tf.TensorInfo[],
): number {
  if (name === 'LinearCrossEntropy')
    return 6 * inputs['positions']!.shape[0]! * inputs['items']!.shape[0]! * inputs['items']!.shape[1]!;
  const [left, right] = [inputs['x'] ?? inputs['a'], inputs['weight'] ?? inputs['b']];
  const once = 2 * tf.util.sizeFromShape(left!.shape) * tf.util.sizeFromShape(right!.shape);
  if (!Array.isArray(result)) return (once / inner(left!, right!, result.shape)) as number;
  return 2 * (once / inner(left!, right!, inputs['dy']!.shape));
}

/** The inner dimension of a product of so many numbers on each side. */
function inner(a: tf.TensorInfo, b: tf.TensorInfo, product: number[]): number {
  return Math.sqrt(
    (tf.util.sizeFromShape(a.shape) * tf.util.sizeFromShape(b.shape)) / tf.util.sizeFromShape(product),
  );
}

function print(name: string, step: number, rounds: number): void {
  console.log(
    `\n${name}: ${(1000 * step).toFixed(1)} ms a step of CPU, ${Math.round(STEP_TOKENS / step)} tokens/s`,
  );
  const rows = [...spent].sort((a, b) => b[1].seconds - a[1].seconds);
  const total = rows.reduce((sum, [, s]) => sum + s.seconds, 0) / rounds;
  const others = rows.filter(([kernel]) => !own.has(kernel));
  const rest = others.reduce((sum, [, s]) => sum + s.seconds, 0) / rounds;
  for (const [kernel, { calls, seconds, flops }] of rows.slice(0, 24)) {
    const rate = flops ? `${(flops / seconds / 1e9).toFixed(1)} GFLOP/s` : '';
    console.log(
      `  ${own.has(kernel) ? ' ' : '*'} ${kernel.padEnd(22)} ${String(calls / rounds).padStart(5)} calls ${((1000 * seconds) / rounds).toFixed(2).padStart(8)} ms ${((100 * seconds) / rounds / step).toFixed(1).padStart(5)} %  ${rate}`,
    );
  }
  console.log(
    `  kernels ${((100 * total) / step).toFixed(1)} %; of them tfjs's own (*) ${((100 * rest) / step).toFixed(1)} % in ${others.reduce((n, [, s]) => n + s.calls, 0) / rounds} calls; around them ${(100 * (1 - total / step)).toFixed(1)} %`,
  );
}
