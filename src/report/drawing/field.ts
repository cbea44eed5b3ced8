/** A function on a rectangle as a picture and as level lines: the fitted surface under the measured points. */
import { crc32, deflateSync } from 'node:zlib';

/** Samples of a function on a regular grid, row by row from the top (largest y) down. */
export interface Field {
  columns: number;
  rows: number;
  values: Float64Array;
}

/** Samples `f(u, v)`, u and v from 0 to 1, u to the right and v upwards. */
export function sampleField(columns: number, rows: number, f: (u: number, v: number) => number): Field {
  const values = new Float64Array(columns * rows);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) values[r * columns + c] = f(c / (columns - 1), 1 - r / (rows - 1));
  return { columns, rows, values };
}

function channels(colour: string): [number, number, number] {
  return [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [number, number, number];
}

/** A data URL of the field as PNG: `low` has the first colour, `high` the last, linear in between. */
export function fieldImage(field: Field, low: number, high: number, stops: string[]): string {
  const colours = stops.map(channels);
  const stride = 1 + 3 * field.columns;
  const pixels = Buffer.alloc(stride * field.rows);
  for (let r = 0; r < field.rows; r++)
    for (let c = 0; c < field.columns; c++) {
      const share = (field.values[r * field.columns + c]! - low) / (high - low || 1);
      const at = Math.min(1, Math.max(0, share)) * (colours.length - 1);
      const from = Math.min(colours.length - 2, Math.floor(at));
      for (let k = 0; k < 3; k++)
        pixels[r * stride + 1 + 3 * c + k] = Math.round(
          colours[from]![k]! + (at - from) * (colours[from + 1]![k]! - colours[from]![k]!),
        );
    }
  return `data:image/png;base64,${encodePng(field.columns, field.rows, pixels).toString('base64')}`;
}

/** PNG (RFC 2083): 8-bit RGB, `pixels` already with a filter byte before each row. */
function encodePng(width: number, height: number, pixels: Buffer): Buffer {
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(pixels, { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

type Point = [u: number, v: number];

/**
 * The lines on which the field has the value `level`, by marching squares, each as points (u, v) in the unit square.
 * Closed lines end where they began.
 */
export function levelLines(field: Field, level: number): Point[][] {
  const { columns, rows, values } = field;
  const at = (r: number, c: number) => values[r * columns + c]! - level;
  // A crossing lies on a grid edge; its name makes segments of neighbouring cells meet.
  const crossings = new Map<string, Point>();
  const cross = (r0: number, c0: number, r1: number, c1: number): string => {
    const name = `${r0},${c0},${r1},${c1}`;
    if (!crossings.has(name)) {
      const share = at(r0, c0) / (at(r0, c0) - at(r1, c1));
      const [r, c] = [r0 + share * (r1 - r0), c0 + share * (c1 - c0)];
      crossings.set(name, [c / (columns - 1), 1 - r / (rows - 1)]);
    }
    return name;
  };
  const links = new Map<string, string[]>();
  const link = (a: string, b: string) => {
    links.set(a, [...(links.get(a) ?? []), b]);
    links.set(b, [...(links.get(b) ?? []), a]);
  };
  for (let r = 0; r + 1 < rows; r++)
    for (let c = 0; c + 1 < columns; c++) {
      const corners = [at(r, c), at(r, c + 1), at(r + 1, c + 1), at(r + 1, c)].map((v) => v >= 0);
      const edges: string[] = [];
      if (corners[0] !== corners[1]) edges.push(cross(r, c, r, c + 1));
      if (corners[1] !== corners[2]) edges.push(cross(r, c + 1, r + 1, c + 1));
      if (corners[2] !== corners[3]) edges.push(cross(r + 1, c, r + 1, c + 1));
      if (corners[3] !== corners[0]) edges.push(cross(r, c, r + 1, c));
      for (let i = 0; i + 1 < edges.length; i += 2) link(edges[i]!, edges[i + 1]!);
    }
  return chain(links).map((names) => names.map((name) => crossings.get(name)!));
}

/** Joins segments into paths: open ones from their ends, then what is left, which is closed. */
function chain(links: Map<string, string[]>): string[][] {
  const paths: string[][] = [];
  const follow = (start: string) => {
    const path = [start];
    for (let here = start; ; ) {
      const next = links.get(here)?.pop();
      if (next === undefined) break;
      const back = links.get(next)!;
      back.splice(back.indexOf(here), 1);
      path.push(next);
      here = next;
    }
    if (path.length > 1) paths.push(path);
  };
  for (const [name, to] of links) if (to.length === 1) follow(name);
  for (const [name, to] of links) if (to.length > 0) follow(name);
  return paths;
}

/** Round levels strictly between `low` and `high`, at most about `count` of them: a step of 1, 2 or 5 times a power of ten. */
export function roundLevels(low: number, high: number, count: number): { step: number; levels: number[] } {
  const rough = (high - low) / count;
  if (!(rough > 0)) return { step: 0, levels: [] };
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10);
  const levels: number[] = [];
  for (let k = Math.ceil(low / step); k * step < high; k++) if (k * step > low) levels.push(k * step);
  return { step, levels };
}
