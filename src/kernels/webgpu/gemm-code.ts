/**
 * The matrix product in WGSL: tiles of both operands in workgroup memory, a block of the result in every thread's registers.
 *
 * Both operands enter workgroup memory as [k, rows] in vectors of four rows, whichever way they are stored: blocks of 4 x 4
 * are read in vectors along the stored rows and turned in registers where need be. So a transposed operand costs no more
 * than a plain one.
 */
import type { Constants } from './program.js';

/** What differs in the code and not only in the numbers it is given: each combination is compiled once. */
export interface GemmForm extends Constants {
  /** Rows and columns of the result that a workgroup computes: 64 or 128. */
  tile: number;
  transposeA: boolean;
  transposeB: boolean;
  /** All stored rows begin at multiples of four: four floats are read and written at a time. */
  vectors: boolean;
  /** C += op(A) op(B). */
  accumulate: boolean;
  /** Stored rows of A or of B are those that `list` names. */
  listA: boolean;
  listB: boolean;
}

export const GEMM_THREADS = 256;

/** Depth of a tile: both fill the 16 KiB that every adapter grants, and every thread brings one block of 4 x 4 of one of them. */
const depthOf = (tile: number) => 2048 / tile;

const COMPONENTS = ['x', 'y', 'z', 'w'] as const;
const repeat = (n: number, line: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => line(i)).join('\n');

/** Four floats of a stored matrix from (row, column) on; what lies outside, or beyond `end` of the inner dimension, reads as zero. */
function reader(name: 'A' | 'B', rowsAreK: boolean, { vectors, ...form }: GemmForm): string {
  const row = form[`list${name}`] ? 'u32(list[u.startList + row])' : 'row';
  const stride = `u.stride${name}`;
  const rows = rowsAreK ? 'end' : name === 'A' ? 'u.m' : 'u.n';
  const columns = rowsAreK ? stride : 'end';
  const inside =
    vectors && rowsAreK
      ? `row < ${rows} && column < ${columns}`
      : `vec4<bool>(row < ${rows}) & (vec4u(column) + vec4u(0, 1, 2, 3) < vec4u(${columns}))`;
  const value = vectors ? `${name}[at / 4]` : `vec4f(${[0, 1, 2, 3].map((i) => `${name}[at + ${i}]`)})`;
  // Indices beyond the array are legal in WGSL and read something inside it.
  return `
fn read${name}(row: u32, column: u32, end: u32) -> vec4f {
  let at = u.start${name} + ${row} * ${stride} + column;
  return select(vec4f(0.0), ${value}, ${inside});
}`;
}

/** A thread's block of 4 x 4 of the stored operand, from `inner` on, into r0 to r3; neighbours read along the stored rows. */
function fetch(name: 'A' | 'B', rowsAreK: boolean, first: string, inner: string): string {
  const at = (i: number) =>
    rowsAreK
      ? `${inner} + deep * 4 + ${i}, ${first} + wide * 4`
      : `${first} + wide * 4 + ${i}, ${inner} + deep * 4`;
  return repeat(4, (i) => `r${i} = read${name}(${at(i)}, end);`);
}

/** The block into its tile. */
function store(name: 'A' | 'B', rowsAreK: boolean, tile: number): string {
  const value = (i: number) => {
    const c = COMPONENTS[i];
    return rowsAreK ? `r${i}` : `vec4f(r0.${c}, r1.${c}, r2.${c}, r3.${c})`;
  };
  return repeat(4, (i) => `tile${name}[(deep * 4 + ${i}) * ${tile / 4} + wide] = ${value(i)};`);
}

/** Four results `value` from `column` on into the row of C that begins at `row`. */
function write(form: GemmForm, biased: boolean): string {
  const before = (index: string) => (form.accumulate ? ` + C[${index}]` : '');
  const bias = (index: string) => (biased ? ` + bias[${index}]` : '');
  if (form.vectors)
    return `if (column < u.n) {
          let at = (row + column) / 4;
          C[at] = value${bias('(u.startBias + column) / 4')}${before('at')};
        }`;
  return `for (var e = 0u; e < min(4, u.n - min(u.n, column)); e++) {
          let at = row + column + e;
          C[at] = value[e]${bias('u.startBias + column + e')}${before('at')};
        }`;
}

/**
 * op(A) [m, k] . op(B) [k, n] (+ bias [n]) -> C [parts, m, n], and the sums of op(A)'s rows [parts, m] where `sums` is there.
 * A workgroup a tile and part. Uniforms: m, n, k, partLength; of A, B and C the stride of a stored row and the start, in
 * floats; the starts of the list, of the bias and of the sums.
 */
export function gemmCode(form: GemmForm, has: (tensor: string) => boolean): string {
  const { tile, transposeA, transposeB } = form;
  const depth = depthOf(tile);
  const wide = tile / 4;
  // A thread's rows (and columns) are `blocks` groups of four, 64 apart: neighbours read neighbouring vectors.
  const blocks = tile / 64;
  const each = (line: (i: number, c: (typeof COMPONENTS)[number], l: number) => string) =>
    repeat(blocks, (i) => COMPONENTS.map((c) => repeat(blocks, (l) => line(i, c, l))).join('\n'));
  const sums = has('sums');
  return `
${reader('A', transposeA, form)}
${reader('B', !transposeB, form)}
var<workgroup> tileA: array<vec4f, ${wide * depth}>;
var<workgroup> tileB: array<vec4f, ${wide * depth}>;
fn run(group: u32, lane: u32) {
  let across = (u.n + ${tile - 1}) / ${tile};
  let tiles = across * ((u.m + ${tile - 1}) / ${tile});
  let part = group / tiles;
  let firstRow = group % tiles / across * ${tile};
  let firstColumn = group % tiles % across * ${tile};
  let begin = part * u.partLength;
  let end = min(u.k, begin + u.partLength);
  let x = lane % 16;
  let y = lane / 16;
  ${each((i, c, l) => `var sum${i}${c}${l} = vec4f(0.0);`)}
  ${sums ? `var rows: array<vec4f, ${blocks}>;` : ''}
  // Half of the threads bring A, half B. A block is read while the one before is worked on.
  let bringsA = lane < ${GEMM_THREADS / 2};
  let block = lane % ${GEMM_THREADS / 2};
  let rowsAreK = select(${!transposeB}, ${transposeA}, bringsA);
  let wide = select(block / ${depth / 4}, block % ${wide}, rowsAreK);
  let deep = select(block % ${depth / 4}, block / ${wide}, rowsAreK);
  ${repeat(4, (i) => `var r${i}: vec4f;`)}
  if (bringsA) { ${fetch('A', transposeA, 'firstRow', 'begin')} }
  else { ${fetch('B', !transposeB, 'firstColumn', 'begin')} }
  for (var inner = begin; inner < end; inner += ${depth}) {
    if (bringsA) { ${store('A', transposeA, tile)} }
    else { ${store('B', !transposeB, tile)} }
    workgroupBarrier();
    let next = inner + ${depth};
    if (next < end) {
      if (bringsA) { ${fetch('A', transposeA, 'firstRow', 'next')} }
      else { ${fetch('B', !transposeB, 'firstColumn', 'next')} }
    }
    // What lies beyond the end is zero in both tiles.
    for (var d = 0u; d < ${depth}; d++) {
      ${repeat(blocks, (i) => `let a${i} = tileA[d * ${wide} + ${i * 16} + y];`)}
      ${repeat(blocks, (l) => `let b${l} = tileB[d * ${wide} + ${l * 16} + x];`)}
      ${each((i, c, l) => `sum${i}${c}${l} = fma(vec4f(a${i}.${c}), b${l}, sum${i}${c}${l});`)}
      ${sums ? repeat(blocks, (i) => `rows[${i}] += a${i};`) : ''}
    }
    workgroupBarrier();
  }
  // In a loop, since code takes time to compile and this part little time to run.
  let results = array<vec4f, ${4 * blocks * blocks}>(${each((i, c, l) => `sum${i}${c}${l},`)});
  for (var j = 0u; j < ${4 * blocks}; j++) {
    let r = firstRow + j / 4 * 64 + y * 4 + j % 4;
    if (r < u.m) {
      let row = u.startC + (part * u.m + r) * u.strideC;
      for (var l = 0u; l < ${blocks}; l++) {
        let column = firstColumn + l * 64 + x * 4;
        let value = results[j * ${blocks} + l];
        ${write(form, has('bias'))}
      }
      ${sums ? `if (firstColumn + x == 0) { sums[u.startSums + part * u.m + r] = rows[j / 4][j % 4]; }` : ''}
    }
  }
}`;
}
