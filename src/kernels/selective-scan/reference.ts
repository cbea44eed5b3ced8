/**
 * The selective scan as its definition reads, in float64 and two plain loops: what every kernel is held against.
 *
 *   dt = softplus(delta + bias);  h_t = exp(dt_t A) h_{t-1} + dt_t B_t x_t;  y_t = (C_t . h_t + D x_t) SiLU(z_t)
 *
 * Source: Gu and Dao, "Mamba" (2312.00752), equation 2 with the zero-order hold on A and Euler's on B, as released.
 */

export interface ScanArrays {
  /** [batch, length, channels] */
  x: ArrayLike<number>;
  /** [batch, length, groups]: the time step before bias and softplus. */
  delta: ArrayLike<number>;
  /** [channels, states]; [heads] where the shape has heads. */
  A: ArrayLike<number>;
  /** [batch, length, states] */
  B: ArrayLike<number>;
  C: ArrayLike<number>;
  /** [groups] */
  D?: ArrayLike<number>;
  /** [batch, length, channels] */
  z?: ArrayLike<number>;
  /** [groups] */
  deltaBias?: ArrayLike<number>;
  /** [batch, length]: not 0 where a new sequence begins. */
  reset?: ArrayLike<number>;
}

export interface ScanShape {
  batch: number;
  length: number;
  channels: number;
  states: number;
  /** Mamba-2: time step and decay are shared by the channels / heads channels of a head; `groups` is then `heads`. */
  heads?: number;
}

export interface ScanOptions {
  deltaSoftplus: boolean;
  /** [batch, channels, states]: the state before the first step; zero where absent. */
  initialState?: ArrayLike<number>;
}

/** @returns y [batch, length, channels] and the last state [batch, channels, states]. */
export function selectiveScanReference(
  { batch, length, channels, states, heads }: ScanShape,
  { x, delta, A, B, C, D, z, deltaBias, reset }: ScanArrays,
  { deltaSoftplus, initialState }: ScanOptions,
): { y: Float64Array; lastState: Float64Array } {
  const y = new Float64Array(batch * length * channels);
  const groups = heads ?? channels;
  const lastState = new Float64Array(batch * channels * states);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++) {
      const g = Math.floor((c * groups) / channels);
      const at = (b * channels + c) * states;
      const h = lastState.subarray(at, at + states);
      if (initialState) for (let n = 0; n < states; n++) h[n] = initialState[at + n]!;
      for (let t = 0; t < length; t++) {
        const row = b * length + t;
        const i = row * channels + c;
        if (reset?.[row]) h.fill(0);
        const raw = delta[row * groups + g]! + (deltaBias?.[g] ?? 0);
        const dt = deltaSoftplus ? softplus(raw) : raw;
        let sum = 0;
        for (let n = 0; n < states; n++) {
          h[n] = Math.exp(dt * A[heads ? g : c * states + n]!) * h[n]! + dt * B[row * states + n]! * x[i]!;
          sum += C[row * states + n]! * h[n]!;
        }
        sum += (D?.[g] ?? 0) * x[i]!;
        y[i] = z ? sum * silu(z[i]!) : sum;
      }
    }
  return { y, lastState };
}

/** ln(1 + e^v) without overflow. */
export function softplus(v: number): number {
  return Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
}

export function silu(v: number): number {
  return v / (1 + Math.exp(-v));
}
