/**
 * Where does the time of a training step go, and how far is each kernel from what the core can do? Every kernel of each model's step by
 * its share of the time, ours and tfjs's own: products with the GFLOP/s they reach, the others with the bytes that they must move, and
 * beside them the core's own limits. What is left is tfjs's tape and JavaScript around the kernels. Times are the least of many steps for
 * every call, so that a busy machine does not count; a call longer than some milliseconds needs a quiet one all the same.
 */
import * as tf from '@tensorflow/tfjs';
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { modelSteps, STEP_TOKENS } from './model-steps.js';
import { measurePeaks, type Peaks } from './peaks.js';

/** One call of a kernel in the course of a step. */
interface Call {
  kernel: string;
  seconds: number;
  flops: number;
  bytes: number;
}

const ROUNDS = 30;
/** The calls of a step, in order; undefined while nothing is measured. */
let calls: Call[] | undefined;
let at = 0;
/** Kernels with which the project's own files are registered. */
const own = new Set<string>();
const PRODUCTS = new Set(['MatMul2D', 'MatMul2DGrad', 'Linear', 'LinearGrad', 'LinearCrossEntropy']);

it('kernels of the training steps', async () => {
  await openBackend('composed');
  const others = new Map(
    tf.getKernelsForBackend('composed').map(({ kernelName, kernelFunc }) => [kernelName, kernelFunc]),
  );
  await openBackend('wasm');
  for (const kernel of tf.getKernelsForBackend('wasm')) {
    if (others.get(kernel.kernelName) !== kernel.kernelFunc) own.add(kernel.kernelName);
    measure(kernel);
  }
  const peaks = await measurePeaks();
  console.log(
    `\nThis core: ${peaks.single.toFixed(0)} GFLOP/s with vectors of 128 bits, ${peaks.joined.toFixed(0)} with joined ones; ${peaks.read.toFixed(0)} GB/s read, ${peaks.copied.toFixed(0)} GB/s copied`,
  );
  for (const { name, run } of modelSteps()) {
    for (let i = 0; i < 10; i++) run();
    calls = [];
    let step = Number.POSITIVE_INFINITY;
    for (let i = 0; i < ROUNDS; i++) {
      at = 0;
      const begun = performance.now();
      run();
      step = Math.min(step, (performance.now() - begun) / 1000);
    }
    print(name, step, calls, peaks);
    calls = undefined;
  }
});

/** Registers the kernel again with a clock around it. Only calls from outside are counted, not what a kernel calls itself. */
function measure(kernel: tf.KernelConfig): void {
  const { kernelName, backendName, kernelFunc } = kernel;
  tf.unregisterKernel(kernelName, backendName);
  tf.registerKernel({
    ...kernel,
    kernelFunc: (args) => {
      if (!calls) return kernelFunc(args);
      const begun = performance.now();
      const result = kernelFunc(args);
      const seconds = (performance.now() - begun) / 1000;
      const tensors = [...Object.values(args.inputs), result].flat() as (tf.TensorInfo | undefined)[];
      const bytes = tensors.reduce((sum, t) => sum + (t ? 4 * tf.util.sizeFromShape(t.shape) : 0), 0);
      const flops = PRODUCTS.has(kernelName)
        ? flopsOf(kernelName, args.inputs as tf.NamedTensorInfoMap, result)
        : 0;
      calls[at] ??= { kernel: kernelName, seconds, flops, bytes };
      calls[at]!.seconds = Math.min(seconds, calls[at]!.seconds);
      at++;
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

function print(name: string, step: number, all: Call[], { joined }: Peaks): void {
  console.log(`\n${name}: ${(1000 * step).toFixed(1)} ms a step, ${Math.round(STEP_TOKENS / step)} tokens/s`);
  const kernels = new Map<string, Call[]>();
  for (const call of all) kernels.set(call.kernel, [...(kernels.get(call.kernel) ?? []), call]);
  const total = (list: Call[], key: 'seconds' | 'flops' | 'bytes') =>
    list.reduce((sum, call) => sum + call[key], 0);
  const rows = [...kernels].sort((a, b) => total(b[1], 'seconds') - total(a[1], 'seconds'));
  for (const [kernel, list] of rows.slice(0, 24)) {
    const [seconds, flops] = [total(list, 'seconds'), total(list, 'flops')];
    const rate = flops
      ? `${(flops / seconds / 1e9).toFixed(0)} GFLOP/s, ${((100 * flops) / seconds / 1e9 / joined).toFixed(0)} % of the core's`
      : `${(total(list, 'bytes') / seconds / 1e9).toFixed(1)} GB/s`;
    console.log(
      `  ${own.has(kernel) ? ' ' : '*'} ${kernel.padEnd(22)} ${String(list.length).padStart(5)} calls ${(1000 * seconds).toFixed(2).padStart(8)} ms ${((100 * seconds) / step).toFixed(1).padStart(5)} %  ${rate}`,
    );
  }
  const others = all.filter(({ kernel }) => !own.has(kernel));
  const within = total(all, 'seconds');
  console.log(
    `  kernels ${((100 * within) / step).toFixed(1)} %; of them tfjs's own (*) ${((100 * total(others, 'seconds')) / step).toFixed(1)} % in ${others.length} calls; around them ${(100 * (1 - within / step)).toFixed(1)} %`,
  );
}
