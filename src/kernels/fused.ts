/** One way for every fused op: a kernel `NAME` forward, a kernel `NAMEGrad` backward, through tfjs's registry and tape. */
import * as tf from '@tensorflow/tfjs';

type Optional = Record<string, tf.Tensor | undefined>;

/** True where the current backend has a fused kernel of that name. */
export function hasKernel(name: string): boolean {
  return tf.getKernel(name, tf.getBackend()) !== undefined;
}

/**
 * A function with its own gradient on tfjs's tape.
 * @param forward returns the value and what the way back needs.
 * @param backward returns one gradient for each input, in the order of `inputs`.
 */
export function withGradient<T extends tf.Tensor>(
  inputs: tf.Tensor[],
  forward: (inputs: tf.Tensor[]) => { value: tf.Tensor; saved: tf.Tensor[] },
  backward: (dy: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
): T {
  const op = tf.customGrad((...args) => {
    // tfjs passes the inputs and, after them, the function that keeps tensors for the way back.
    const save = args[inputs.length] as unknown as (tensors: tf.Tensor[]) => void;
    const { value, saved } = forward(args.slice(0, inputs.length) as tf.Tensor[]);
    save(saved);
    return {
      value,
      gradFunc: (dy: tf.Tensor, kept: tf.Tensor[]) => backward(dy, kept),
    };
  });
  return op(...inputs) as T;
}

/**
 * Runs kernel `name`, and on the way back kernel `nameGrad`, which gets the same inputs and `dy` and returns one gradient
 * for each differentiable input, in the order given. A kernel may return a second tensor for its way back, which comes to
 * `nameGrad` as the input `kept`; the attribute `recorded` says whether there will be a way back.
 */
export function fusedOp<T extends tf.Tensor>(
  name: string,
  differentiable: Optional,
  constant: Optional,
  attrs: Record<string, unknown>,
): T {
  const isPresent = (entry: [string, tf.Tensor | undefined]): entry is [string, tf.Tensor] =>
    entry[1] !== undefined;
  const present = Object.entries(differentiable).filter(isPresent);
  const others = Object.entries(constant).filter(isPresent);
  const names = [...present, ...others].map(([key]) => key);
  // Depth of nested calls for gradients: 0 in evaluation.
  const recorded = tf.engine().state.gradientDepth > 0;
  const run = (kernel: string, tensors: tf.Tensor[], extra: tf.NamedTensorMap) => {
    const inputs = Object.fromEntries(names.map((key, i) => [key, tensors[i]!]));
    const all = { ...attrs, recorded } as unknown as tf.NamedAttrMap;
    return [tf.engine().runKernel(kernel, { ...inputs, ...extra }, all)].flat() as tf.Tensor[];
  };
  const constants = others.map(([, tensor]) => tensor);
  return withGradient<T>(
    present.map(([, tensor]) => tensor),
    (tensors) => {
      // Constants are kept too: the tape outlives the scope that made them.
      const inputs = [...tensors, ...constants];
      const [value, ...kept] = run(name, inputs, {});
      return { value: value!, saved: [...inputs, ...kept] };
    },
    (dy, saved) => {
      const kept = saved[names.length];
      return run(`${name}Grad`, saved, kept ? { dy, kept } : { dy });
    },
  );
}
