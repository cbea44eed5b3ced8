/**
 * Costs of configurations that were never run, from those that were: a cost is taken as a sum of parts that grow with size,
 * none of them negative (Lawson & Hanson 1974), fitted with relative errors.
 */

export interface Shape {
  layers: number;
  dim: number;
}

export interface Calibrated {
  at(shape: Shape): number;
  /** Largest relative error on the measured points. */
  worst: number;
}

/** Item table, one vector a channel and layer, one matrix a layer: how parameters and FLOPs grow with H and d. */
export const SIZE_PARTS = ({ layers, dim }: Shape) => [dim, layers * dim, layers * dim * dim];
/** The same and a constant: memory and time begin above nothing. */
export const COST_PARTS = (shape: Shape) => [1, ...SIZE_PARTS(shape)];

/**
 * Non-negative least squares of `values` on the parts, by coordinate descent on columns of unit length.
 * @returns undefined below two different shapes.
 */
export function calibrate(
  shapes: readonly Shape[],
  values: readonly number[],
  parts: (shape: Shape) => number[],
): Calibrated | undefined {
  if (new Set(shapes.map(({ layers, dim }) => `${layers},${dim}`)).size < 2) return undefined;
  const rows = shapes.map((shape, i) => parts(shape).map((part) => part / values[i]!));
  const count = rows[0]!.length;
  const sizes = Array.from({ length: count }, (_, j) => Math.hypot(...rows.map((row) => row[j]!)));
  const weights = new Array<number>(count).fill(0);
  const rest = rows.map(() => 1);
  for (let round = 0; round < 50_000; round++) {
    let moved = 0;
    for (let j = 0; j < count; j++) {
      let share = 0;
      for (let i = 0; i < rows.length; i++) share += (rows[i]![j]! / sizes[j]!) * rest[i]!;
      const next = Math.max(0, weights[j]! + share);
      const step = next - weights[j]!;
      if (step === 0) continue;
      weights[j] = next;
      moved = Math.max(moved, Math.abs(step));
      for (let i = 0; i < rows.length; i++) rest[i]! -= (rows[i]![j]! / sizes[j]!) * step;
    }
    if (moved < 1e-13) break;
  }
  return {
    at: (shape) => parts(shape).reduce((sum, part, j) => sum + (part * weights[j]!) / sizes[j]!, 0),
    worst: Math.max(...rest.map(Math.abs)),
  };
}
