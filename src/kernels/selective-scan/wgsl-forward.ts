/**
 * The selective scan forward in WGSL. A workgroup takes one sequence and a tile of channels; the states of a channel lie four
 * to a thread across its lanes, in registers, so that even a narrow model gives a GPU enough threads. A tile of time steps
 * goes by between two barriers: the lanes' parts of y are put side by side and added up together.
 */
import type { Constants, Program } from '../webgpu/program.js';
import { SILU, SOFTPLUS } from '../webgpu/wgsl.js';

/** How the states of a channel lie across the lanes: `quads` vectors of four, `lanes` threads with `own` quads each. */
export function spreadStates(states: number, mostLanes: number) {
  const quads = Math.ceil(states / 4);
  const lanes = Math.min(quads, mostLanes);
  return { quads, lanes, own: Math.ceil(quads / lanes) };
}

/** `fn quadX(row, q) -> vec4f`: states 4q to 4q + 3 of a row of X [rows, STATES], 0 beyond the last. */
export function readQuad(name: string, states: number): string {
  if (states % 4 === 0)
    return `fn quad${name}(row: u32, q: u32) -> vec4f { if (q < QUADS) { return ${name}[row * QUADS + q]; } return vec4f(0.0); }`;
  const at = (i: number) => `select(0.0, ${name}[row * STATES + 4 * q + ${i}], 4 * q + ${i} < STATES)`;
  return `fn quad${name}(row: u32, q: u32) -> vec4f { return vec4f(${[0, 1, 2, 3].map(at).join(', ')}); }`;
}

/** The tensors that readQuad reads as vectors. */
export function quadTensors(states: number, names: string[]): string[] {
  return states % 4 === 0 ? names : [];
}

/** A, D and deltaBias one after the other: a shader may bind few buffers. */
export const packParameters: Program = {
  name: 'packScanParameters',
  threads: 64,
  code: (_, has) => `
fn run(group: u32, lane: u32) {
  let i = group * THREADS + lane;
  if (i < u.sizeA) { parameters[i] = A[i]; }
  ${has('D') ? 'if (i < u.groupsOf) { parameters[u.sizeA + i] = D[i]; }' : ''}
  ${has('deltaBias') ? 'if (i < u.groupsOf) { parameters[u.sizeA + u.groupsOf + i] = deltaBias[i]; }' : ''}
}`,
};

/** Time steps between two barriers. */
const TILE = 16;

/** Channels of a workgroup's tile and its threads, for so many lanes a channel. */
export function forwardTile(lanes: number): { tile: number; threads: number } {
  const tile = 2 ** Math.floor(Math.log2(Math.max(1, 128 / lanes)));
  return { tile, threads: tile * lanes };
}

/**
 * Constants: CHANNELS, STATES, GROUPS (heads, or channels), PER_HEAD, SOFT (softplus), SKIP (D), BIASED.
 * Uniform: length. A row of `parameters` holds A as [channels, states], or as [heads], then D and deltaBias as [groups].
 */
export const scanForward: Program = {
  name: 'scanForward',
  threads: ({ STATES }) => forwardTile(spreadStates(STATES as number, 32).lanes).threads,
  code: (constants, has) => {
    const states = constants['STATES'] as number;
    const { quads, lanes, own } = spreadStates(states, 32);
    const { tile } = forwardTile(lanes);
    return `
const QUADS = ${quads}u;
const LANES = ${lanes}u;
const OWN = ${own}u;
const TILE = ${tile}u;
const TIME = ${TILE}u;
${parameterReaders(constants)}
${readQuad('B', states)}
${readQuad('C', states)}
${SOFTPLUS}
${SILU}
var<workgroup> dts: array<f32, TIME * TILE>;
var<workgroup> xs: array<f32, TIME * TILE>;
var<workgroup> kept: array<f32, TIME>;
var<workgroup> parts: array<f32, TIME * LANES * TILE>;
const TILES = (CHANNELS + TILE - 1) / TILE;

fn run(group: u32, lane: u32) {
  let first = group % TILES * TILE;
  let row0 = group / TILES * u.length;
  let l = lane / TILE;
  let c = first + lane % TILE;
  var h: array<vec4f, OWN>;
  var A: array<vec4f, OWN>;
  for (var v = 0u; v < OWN; v++) { A[v] = decayRates(c, l + v * LANES); }
  for (var t0 = 0u; t0 < u.length; t0 += TIME) {
    for (var i = lane; i < TIME * TILE; i += THREADS) {
      let t = t0 + i / TILE;
      let channel = first + i % TILE;
      var dt = 0.0;
      var value = 0.0;
      if (t < u.length && channel < CHANNELS) {
        let g = groupOf(channel);
        let raw = delta[(row0 + t) * GROUPS + g] + bias(g);
        dt = select(raw, softplus(raw), SOFT);
        value = x[(row0 + t) * CHANNELS + channel];
      }
      dts[i] = dt;
      xs[i] = value;
    }
    for (var i = lane; i < TIME; i += THREADS) {
      kept[i] = ${has('reset') ? 'select(0.0, 1.0, t0 + i < u.length && reset[row0 + t0 + i] == 0)' : '1.0'};
    }
    workgroupBarrier();
    for (var i = 0u; i < min(TIME, u.length - t0); i++) {
      let dt = dts[i * TILE + lane % TILE];
      let input = dt * xs[i * TILE + lane % TILE];
      let row = row0 + t0 + i;
      var sum = 0.0;
      ${constants['PER_HEAD'] ? 'let decay = kept[i] * exp(dt * A[0].x);' : ''}
      for (var v = 0u; v < OWN; v++) {
        let q = l + v * LANES;
        ${constants['PER_HEAD'] ? '' : 'let decay = kept[i] * exp(dt * A[v]);'}
        h[v] = decay * h[v] + input * quadB(row, q);
        sum += dot(quadC(row, q), h[v]);
      }
      parts[(i * LANES + l) * TILE + lane % TILE] = sum;
    }
    workgroupBarrier();
    for (var i = lane; i < TIME * TILE; i += THREADS) {
      let t = t0 + i / TILE;
      let channel = first + i % TILE;
      if (t < u.length && channel < CHANNELS) {
        var sum = skip(groupOf(channel)) * xs[i];
        for (var k = 0u; k < LANES; k++) { sum += parts[(i / TILE * LANES + k) * TILE + i % TILE]; }
        let at = (row0 + t) * CHANNELS + channel;
        y[at] = ${has('z') ? 'sum * silu(z[at])' : 'sum'};
      }
    }
    workgroupBarrier();
  }
}`;
  },
};

/** `groupOf`, `skip`, `bias` and `decayRates(channel, q)` over `parameters`. */
function parameterReaders({ PER_HEAD, SKIP, BIASED }: Constants): string {
  const sizeA = PER_HEAD ? 'GROUPS' : 'CHANNELS * STATES';
  return `
fn groupOf(channel: u32) -> u32 { return channel / (CHANNELS / GROUPS); }
fn skip(g: u32) -> f32 { return ${SKIP ? `parameters[${sizeA} + g]` : '0.0'}; }
fn bias(g: u32) -> f32 { return ${BIASED ? `parameters[${sizeA} + GROUPS + g]` : '0.0'}; }
${decayRates('parameters', Boolean(PER_HEAD))}`;
}

/** `fn decayRates(channel, q) -> vec4f` over A as it stands at the beginning of `name`; 0 beyond the last. */
export function decayRates(name: string, perHead: boolean): string {
  const at = (i: number) =>
    `select(0.0, ${name}[channel * STATES + 4 * q + ${i}], channel < CHANNELS && 4 * q + ${i} < STATES)`;
  return perHead
    ? `fn decayRates(channel: u32, q: u32) -> vec4f { return vec4f(select(0.0, ${name}[channel / (CHANNELS / GROUPS)], channel < CHANNELS)); }`
    : `fn decayRates(channel: u32, q: u32) -> vec4f { return vec4f(${[0, 1, 2, 3].map(at).join(', ')}); }`;
}
