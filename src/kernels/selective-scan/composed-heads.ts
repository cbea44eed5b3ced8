/**
 * The selective scan with one decay a head, out of plain tfjs ops, in its dual form (Dao and Gu 2024, section 6): within a
 * chunk it is attention with a mask of decays, y = (exp(S_t - S_s) C_t . B_s) dt_s x_s over s <= t, with S the running sum
 * of dt A; between chunks one state a head is carried. Everything is a product of matrices, differentiated by tfjs's tape.
 * Exponents are differences of sums that only fall, never positive, so nothing overflows. Memory: [batch, heads, chunk,
 * chunk] a chunk.
 */
import * as tf from '@tensorflow/tfjs';
import type { ScanInputs } from './inputs.js';

const CHUNK = 32;
/** Its exponential is 0 in float32. */
const NEVER = -1e4;

/** y [batch, length, channels]; see op.ts for the arguments; A is [heads]. */
export function composedHeadScan(inputs: ScanInputs, deltaSoftplus: boolean, chunk = CHUNK): tf.Tensor3D {
  const { x, delta, B, C, D, z, deltaBias, reset } = inputs;
  const A = inputs.A as tf.Tensor1D;
  const [batch, length, channels] = x.shape;
  const [heads, states] = [A.shape[0], B.shape[2]];
  const width = channels / heads;
  const raw = deltaBias ? tf.add(delta, deltaBias) : delta;
  const dt = deltaSoftplus ? tf.softplus(raw) : raw;
  const dtA = tf.mul(dt, A);
  const byHead = tf.reshape(x, [batch, length, heads, width]);
  const dtx = tf.mul(byHead, tf.expandDims(dt, 3));
  const pieces: tf.Tensor[] = [];
  let state: tf.Tensor = tf.zeros([batch, heads, width, states]);
  for (let from = 0; from < length; from += chunk) {
    const n = Math.min(chunk, length - from);
    const part = <T extends tf.Tensor>(t: T) =>
      tf.slice(t, [0, from, ...t.shape.slice(2).map(() => 0)], [batch, n, ...t.shape.slice(2)]) as T;
    const segments = reset && tf.cumsum(tf.cast(tf.notEqual(part(reset), 0), 'int32'), 1);
    // S: [batch, heads, n]
    const sums = tf.cumsum(tf.transpose(part(dtA), [0, 2, 1]), 2);
    const Bs = tf.reshape(part(B), [batch, 1, n, states]);
    const Cs = tf.reshape(part(C), [batch, 1, n, states]);
    const inputsOf = tf.transpose(part(dtx), [0, 2, 1, 3]); // [batch, heads, n, width]
    const visible = within(segments, batch, n);
    const exponents = tf.sub(tf.expandDims(sums, 3), tf.expandDims(sums, 2));
    const decays = tf.exp(tf.where(spread(visible, exponents), exponents, tf.fill(exponents.shape, NEVER)));
    const mixing = tf.mul(tf.matMul(Cs, Bs, false, true), decays);
    const inner = tf.matMul(mixing, inputsOf);
    // What the state before the chunk still gives, where no history began since.
    const kept = segments && tf.cast(tf.equal(segments, 0), 'float32');
    const fromState = masked(tf.exp(sums), kept && tf.expandDims(kept, 1));
    const outer = tf.mul(
      tf.matMul(tf.tile(Cs, [1, heads, 1, 1]), state, false, true),
      tf.expandDims(fromState, 3),
    );
    pieces.push(tf.reshape(tf.transpose(tf.add(inner, outer), [0, 2, 1, 3]), [batch, n, channels]));
    // The state after it: inputs of the history that is last in the chunk, decayed to its end.
    const end = tf.slice(sums, [0, 0, n - 1], [batch, heads, 1]);
    const last = segments && tf.slice(segments, [0, n - 1], [batch, 1]);
    const same = segments && tf.cast(tf.equal(segments, last!), 'float32');
    const toEnd = masked(tf.exp(tf.sub(end, sums)), same && tf.expandDims(same, 1));
    const gathered = tf.matMul(
      tf.mul(inputsOf, tf.expandDims(toEnd, 3)),
      tf.tile(Bs, [1, heads, 1, 1]),
      true,
      false,
    );
    const survives = masked(tf.exp(end), last && tf.expandDims(tf.cast(tf.equal(last, 0), 'float32'), 1));
    state = tf.add(tf.mul(state, tf.expandDims(survives, 3)), gathered);
  }
  let y = pieces.length === 1 ? pieces[0]! : tf.concat(pieces, 1);
  if (D) y = tf.add(y, tf.reshape(tf.mul(byHead, tf.expandDims(D, 1)), [batch, length, channels]));
  if (z) y = tf.mul(y, tf.mul(z, tf.sigmoid(z)));
  return y as tf.Tensor3D;
}

/** bool [batch or 1, 1, n, n]: whether step s (last axis) is not after t and in the same history. */
function within(segments: tf.Tensor | undefined, batch: number, n: number): tf.Tensor {
  const causal = tf.reshape(tf.lessEqual(tf.range(0, n), tf.expandDims(tf.range(0, n), 1)), [1, 1, n, n]);
  if (!segments) return causal;
  const same = tf.equal(tf.expandDims(segments, 2), tf.expandDims(segments, 1));
  return tf.logicalAnd(causal, tf.reshape(same, [batch, 1, n, n]));
}

function masked(t: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  return mask ? tf.mul(t, mask) : t;
}

/** tfjs's `where` on wasm wants both sides of one shape. */
function spread(mask: tf.Tensor, like: tf.Tensor): tf.Tensor {
  return tf.cast(
    tf.tile(
      tf.cast(mask, 'int32'),
      like.shape.map((size, i) => size / mask.shape[i]!),
    ),
    'bool',
  );
}
