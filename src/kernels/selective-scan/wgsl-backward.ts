/**
 * The recurrence of the selective scan backward in WGSL: first forward through the sequence, keeping the state every CHUNK
 * steps; then chunk by chunk from the end, its states again, and through them backwards with
 *
 *   g_t = dL/dh_t = C_t dy_t + a_{t+1} g_{t+1}
 *
 * Gradients that several workgroups contribute to (B and C over channels, A over sequences) are written in parts, which are
 * added up afterwards in a fixed order. No [batch, length, channels, states] is ever held. What goes before and after is in
 * wgsl-around.ts.
 */
import type { Program } from '../webgpu/program.js';
import { decayRates, readQuad, spreadStates } from './wgsl-forward.js';

/** Sizes of scanBackward for so many states a channel. */
export function backwardTile(states: number) {
  const spread = spreadStates(states, 64);
  // Two channels a thread; channels side by side as long as their sums over the tile fit into shared memory.
  const across = spread.quads > 32 ? 1 : 2 ** Math.floor(Math.log2(64 / spread.lanes));
  // States of a chunk are private memory, of which a thread may have 8 KiB.
  const chunk = 2 ** Math.floor(Math.log2(Math.max(1, 16 / spread.own)));
  return {
    ...spread,
    across,
    tile: 2 * across,
    threads: spread.lanes * across,
    chunk,
    time: Math.min(4, chunk),
  };
}

/**
 * Constants: CHANNELS, STATES, GROUPS, PER_HEAD, GATED. Uniform: length. Writes, as vec4f: `out` [rows, channels] =
 * (sum over states of A g a h', of g B, of C h, 0); `dBC` [tiles, rows, 2, quads]; `dA` [batch, channels, quads];
 * `kept` [batch, chunks, channels, quads], its memory between the two ways.
 */
export const scanBackward: Program = {
  name: 'scanBackward',
  threads: ({ STATES }) => backwardTile(STATES as number).threads,
  code: (constants) => {
    const states = constants['STATES'] as number;
    const { quads, lanes, own, across, tile, chunk, time } = backwardTile(states);
    const perHead = Boolean(constants['PER_HEAD']);
    return `
const QUADS = ${quads}u;
const LANES = ${lanes}u;
const OWN = ${own}u;
const ACROSS = ${across}u;
const TILE = ${tile}u;
const CHUNK = ${chunk}u;
const TIME = ${time}u;
const TILES = (CHANNELS + TILE - 1) / TILE;
const MINE = 2 * OWN;
${decayRates('A', perHead)}
${readQuad('B', states)}
${readQuad('C', states)}
var<workgroup> sumP: array<f32, TIME * LANES * TILE>;
var<workgroup> sumR: array<f32, TIME * LANES * TILE>;
var<workgroup> sumY: array<f32, ${constants['GATED'] ? 'TIME * LANES * TILE' : '1'}>;
var<workgroup> sumB: array<vec4f, ${across > 1 ? 'TIME * ACROSS * QUADS' : '1'}>;
var<workgroup> sumC: array<vec4f, ${across > 1 ? 'TIME * ACROSS * QUADS' : '1'}>;

fn decayOf(dt: f32, rates: vec4f) -> vec4f { return ${perHead ? 'vec4f(exp(dt * rates.x))' : 'exp(dt * rates)'}; }
fn stepAt(row: u32, c: u32) -> vec4f {
  if (c < CHANNELS) { return steps[row * CHANNELS + c]; }
  return vec4f(0.0);
}

fn run(group: u32, lane: u32) {
  let first = group % TILES * TILE;
  let sequence = group / TILES;
  let row0 = sequence * u.length;
  let rows = u.groups / TILES * u.length;
  let l = lane / ACROSS;
  let a = lane % ACROSS;
  let chunks = (u.length + CHUNK - 1) / CHUNK;
  var rates: array<vec4f, MINE>;
  var h: array<vec4f, MINE>;
  var g: array<vec4f, MINE>;
  var dRates: array<vec4f, MINE>;
  var before: array<vec4f, CHUNK * MINE>;
  for (var n = 0u; n < MINE; n++) { rates[n] = decayRates(first + a + n / OWN * ACROSS, l + n % OWN * LANES); }

  for (var t = 0u; t < (chunks - 1) * CHUNK; t++) {
    for (var n = 0u; n < MINE; n++) {
      let c = first + a + n / OWN * ACROSS;
      let q = l + n % OWN * LANES;
      let s = stepAt(row0 + t, c);
      if (t % CHUNK == 0 && c < CHANNELS && q < QUADS) {
        kept[((sequence * chunks + t / CHUNK) * CHANNELS + c) * QUADS + q] = h[n];
      }
      h[n] = s.w * decayOf(s.x, rates[n]) * h[n] + s.x * s.y * quadB(row0 + t, q);
    }
  }

  for (var m = chunks; m > 0; m--) {
    let t0 = (m - 1) * CHUNK;
    if (m < chunks) {
      for (var n = 0u; n < MINE; n++) {
        let c = first + a + n / OWN * ACROSS;
        let q = l + n % OWN * LANES;
        h[n] = vec4f(0.0);
        if (c < CHANNELS && q < QUADS) { h[n] = kept[((sequence * chunks + m - 1) * CHANNELS + c) * QUADS + q]; }
      }
    }
    for (var i = 0u; i < min(CHUNK, u.length - t0); i++) {
      for (var n = 0u; n < MINE; n++) {
        let s = stepAt(row0 + t0 + i, first + a + n / OWN * ACROSS);
        before[i * MINE + n] = h[n];
        h[n] = s.w * decayOf(s.x, rates[n]) * h[n] + s.x * s.y * quadB(row0 + t0 + i, l + n % OWN * LANES);
      }
    }
    for (var j = CHUNK / TIME; j > 0; j--) {
      let begin = t0 + (j - 1) * TIME;
      if (begin >= u.length) { continue; }
      let count = min(TIME, u.length - begin);
      for (var i = count; i > 0; i--) {
        let row = row0 + begin + i - 1;
        var p = vec2f(0.0);
        var r = vec2f(0.0);
        var y = vec2f(0.0);
        for (var v = 0u; v < OWN; v++) {
          let q = l + v * LANES;
          let b = quadB(row, q);
          let c = quadC(row, q);
          var toB = vec4f(0.0);
          var toC = vec4f(0.0);
          for (var k = 0u; k < 2; k++) {
            let n = k * OWN + v;
            let s = stepAt(row, first + a + k * ACROSS);
            let decay = s.w * decayOf(s.x, rates[n]);
            let last = before[(begin - t0 + i - 1) * MINE + n];
            g[n] += s.z * c;
            let carried = g[n] * decay * last;
            p[k] += dot(carried, rates[n]);
            r[k] += dot(g[n], b);
            y[k] += dot(c, h[n]);
            toB += s.x * s.y * g[n];
            toC += s.z * h[n];
            dRates[n] += s.x * carried;
            g[n] *= decay;
            h[n] = last;
          }
          ${
            across > 1
              ? `if (q < QUADS) {
            sumB[((i - 1) * ACROSS + a) * QUADS + q] = toB;
            sumC[((i - 1) * ACROSS + a) * QUADS + q] = toC;
          }`
              : `if (q < QUADS) {
            let at = (group % TILES * rows + row) * 2 * QUADS + q;
            dBC[at] = toB;
            dBC[at + QUADS] = toC;
          }`
          }
        }
        for (var k = 0u; k < 2; k++) {
          let at = ((i - 1) * LANES + l) * TILE + a + k * ACROSS;
          sumP[at] = p[k];
          sumR[at] = r[k];
          ${constants['GATED'] ? 'sumY[at] = y[k];' : ''}
        }
      }
      workgroupBarrier();
      for (var i = lane; i < count * TILE; i += THREADS) {
        let c = first + i % TILE;
        if (c < CHANNELS) {
          var sums = vec4f(0.0);
          for (var k = 0u; k < LANES; k++) {
            let at = (i / TILE * LANES + k) * TILE + i % TILE;
            sums += vec4f(sumP[at], sumR[at], ${constants['GATED'] ? 'sumY[at]' : '0.0'}, 0.0);
          }
          out[(row0 + begin + i / TILE) * CHANNELS + c] = sums;
        }
      }
      ${
        across > 1
          ? `for (var i = lane; i < count * QUADS; i += THREADS) {
        var toB = vec4f(0.0);
        var toC = vec4f(0.0);
        for (var k = 0u; k < ACROSS; k++) {
          let at = (i / QUADS * ACROSS + k) * QUADS + i % QUADS;
          toB += sumB[at];
          toC += sumC[at];
        }
        let at = (group % TILES * rows + row0 + begin + i / QUADS) * 2 * QUADS + i % QUADS;
        dBC[at] = toB;
        dBC[at + QUADS] = toC;
      }`
          : ''
      }
      workgroupBarrier();
    }
  }
  for (var n = 0u; n < MINE; n++) {
    let c = first + a + n / OWN * ACROSS;
    let q = l + n % OWN * LANES;
    if (c < CHANNELS && q < QUADS) { dA[(sequence * CHANNELS + c) * QUADS + q] = dRates[n]; }
  }
}`;
  },
};
