/**
 * The selective scan out of plain tfjs ops, for any backend, differentiated by tfjs's own tape. Chunks of the sequence are
 * scanned associatively (Hillis and Steele 1986): log2(chunk) doubling steps, each a product and a sum, never a division by
 * a cumulative product, which would overflow. Memory: [batch, chunk, channels, states] a chunk.
 */
import * as tf from '@tensorflow/tfjs';
import type { ScanInputs } from './inputs.js';

const CHUNK = 32;

/** y [batch, length, channels]; see op.ts for the arguments; A is [channels, states]. */
export function composedScan(inputs: ScanInputs, deltaSoftplus: boolean, chunk = CHUNK): tf.Tensor3D {
  const { x, delta, B, C, D, z, deltaBias, reset } = inputs;
  const A = inputs.A as tf.Tensor2D;
  const [batch, length, channels] = x.shape;
  const states = A.shape[1];
  const raw = deltaBias ? tf.add(delta, deltaBias) : delta;
  const dt = deltaSoftplus ? tf.softplus(raw) : raw;
  const dtx = tf.mul(dt, x);
  const pieces: tf.Tensor[] = [];
  let state: tf.Tensor = tf.zeros([batch, 1, channels, states]);
  for (let from = 0; from < length; from += chunk) {
    const n = Math.min(chunk, length - from);
    const part = (t: tf.Tensor, ...shape: number[]) =>
      tf.reshape(tf.slice(t, [0, from, 0], [batch, n, t.shape[2]!]), [batch, n, ...shape]);
    let decay: tf.Tensor = tf.exp(tf.mul(part(dt, channels, 1), tf.reshape(A, [1, 1, channels, states])));
    if (reset) {
      const kept = tf.cast(tf.equal(tf.slice(reset, [0, from], [batch, n]), 0), 'float32');
      decay = tf.mul(decay, tf.reshape(kept, [batch, n, 1, 1]));
    }
    let sum: tf.Tensor = tf.mul(part(dtx, channels, 1), part(B, 1, states));
    for (let shift = 1; shift < n; shift *= 2) {
      sum = tf.add(sum, tf.mul(decay, delayed(sum, shift, 0)));
      decay = tf.mul(decay, delayed(decay, shift, 1));
    }
    const h = tf.add(sum, tf.mul(decay, state));
    pieces.push(tf.sum(tf.mul(h, part(C, 1, states)), 3));
    state = tf.slice(h, [0, n - 1, 0, 0], [batch, 1, channels, states]);
  }
  let y = pieces.length === 1 ? pieces[0]! : tf.concat(pieces, 1);
  if (D) y = tf.add(y, tf.mul(x, D));
  if (z) y = tf.mul(y, tf.mul(z, tf.sigmoid(z)));
  return y as tf.Tensor3D;
}

/** `t` moved `shift` steps later along axis 1, filled in front. */
function delayed(t: tf.Tensor, shift: number, fill: number): tf.Tensor {
  const [batch, n, channels, states] = t.shape as [number, number, number, number];
  const front = tf.fill([batch, shift, channels, states], fill);
  return tf.concat([front, tf.slice(t, [0, 0, 0, 0], [batch, n - shift, channels, states])], 1);
}
