/** The configurations that a prediction chooses among, and the budget that they must fit. */
import { UserError } from '../../util/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import type { Shape } from '../calibrate.js';
import type { CostModel } from '../cost.js';
import type { Observation } from '../points/observation.js';

export interface Budget {
  /** Parameters: total, or outside the item table where `nonEmbedding`. */
  params?: number;
  nonEmbedding?: boolean;
  /** Training FLOPs of the whole run. */
  flops?: number;
  memoryBytes?: number;
  hours?: number;
}

export interface Candidate {
  layers: number;
  dim: number;
  params: number;
  nonEmbeddingParams?: number;
  flops?: number;
  seconds?: number;
  memoryBytes?: number;
}

/**
 * Configurations are proposed up to so many times the largest measured value of an axis. Farther out hardly anything was tried:
 * tables have few wider models (docs/forecast.md), and deeper ones may not even start to train at the rate of the shallow (docs/ml-1m.md: twelve layers after three).
 */
export const PROPOSED = { layers: 2, dim: 4 } as const;
/** Far out, beyond twice the largest, steps are so many times coarser. */
const COARSER = 4;

export const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));

/** The largest step up to 8 that divides every measured dim: finer tells nothing, coarser misses what people could train. */
const dimStep = (dims: number[]) => {
  const common = dims.reduce(gcd);
  return [8, 7, 6, 5, 4, 3, 2, 1].find((step) => common % step === 0)!;
};

/** Dims in even steps, layers one by one; coarser far out, and where there would be very many. */
function axes(observations: readonly Observation[]): { layers: number[]; dims: number[] } {
  const measured = (key: 'layers' | 'dim') => [...new Set(observations.map((one) => one[key]))];
  const grow = (values: number[], step: number, reach: number): number[] => {
    // an axis on which only one value was measured is not a choice: the law knows nothing of it
    if (values.length === 1) return values;
    const largest = Math.max(...values);
    while (largest / step > 128) step *= 2;
    const list = new Set(values);
    for (let value = step; value <= reach * largest; value += value < 2 * largest ? step : COARSER * step)
      list.add(value);
    return [...list].sort((a, b) => a - b);
  };
  const dims = measured('dim');
  return {
    layers: grow(measured('layers'), 1, PROPOSED.layers),
    dims: grow(dims, dimStep(dims), PROPOSED.dim),
  };
}

/** Every configuration within reach, with its costs. */
export function enumerateCandidates(observations: readonly Observation[], cost: CostModel): Candidate[] {
  const { layers, dims } = axes(observations);
  return layers.flatMap((l) => dims.flatMap((dim) => candidateOf({ layers: l, dim }, cost) ?? []));
}

/** A configuration with its costs; undefined where its parameters cannot be counted. */
export function candidateOf(shape: Shape, cost: CostModel): Candidate | undefined {
  const params = cost.params(shape);
  if (!params) return undefined;
  return {
    ...shape,
    params: params.total,
    ...(params.nonEmbedding === undefined ? {} : { nonEmbeddingParams: params.nonEmbedding }),
    ...(cost.flops ? { flops: cost.flops(shape) } : {}),
    ...(cost.seconds ? { seconds: cost.seconds(shape) } : {}),
    ...(cost.memoryBytes ? { memoryBytes: cost.memoryBytes(shape) } : {}),
  };
}

/** How a candidate stands to a budget: the largest share that it uses of any limit. */
export function use(candidate: Candidate, budget: Budget): number {
  const shares: number[] = [];
  if (budget.params !== undefined)
    shares.push((budget.nonEmbedding ? candidate.nonEmbeddingParams! : candidate.params) / budget.params);
  if (budget.flops !== undefined) shares.push(candidate.flops! / budget.flops);
  if (budget.hours !== undefined) shares.push(candidate.seconds! / (3600 * budget.hours));
  if (budget.memoryBytes !== undefined) shares.push(candidate.memoryBytes! / budget.memoryBytes);
  return Math.max(0, ...shares);
}

/** @throws UserError when a limit cannot be checked with what was measured. */
export function checkBudget(budget: Budget, candidates: readonly Candidate[]): void {
  const lacking: [boolean, string, string][] = [
    [
      budget.params !== undefined &&
        budget.nonEmbedding === true &&
        candidates[0]?.nonEmbeddingParams === undefined,
      'non-embedding parameters cannot be counted',
      'Give --items N, or add a column nonEmbeddingParams.',
    ],
    [
      budget.flops !== undefined && candidates[0]?.flops === undefined,
      'no training FLOPs were measured',
      'Add a column flops, or give the budget in parameters.',
    ],
    [
      budget.hours !== undefined && candidates[0]?.seconds === undefined,
      'no times were measured',
      'Add a column seconds, or give the budget in parameters.',
    ],
    [
      budget.memoryBytes !== undefined && candidates[0]?.memoryBytes === undefined,
      'no memory was measured',
      'Add a column peakMemoryBytes, or give the budget in parameters.',
    ],
  ];
  for (const [is, message, remedy] of lacking) if (is) throw new UserError(message, { remedy });
}

export function budgetWords(budget: Budget): string {
  const parts: string[] = [];
  if (budget.params !== undefined)
    parts.push(`${formatCount(budget.params)} ${budget.nonEmbedding ? 'non-embedding ' : ''}parameters`);
  if (budget.flops !== undefined) parts.push(`${formatCount(budget.flops)} training FLOPs`);
  if (budget.memoryBytes !== undefined) parts.push(`${formatBytes(budget.memoryBytes)} of memory`);
  if (budget.hours !== undefined) parts.push(formatDuration(3600 * budget.hours));
  return parts.join(' and ');
}

/** @throws UserError naming the smallest configuration, when none fits. */
export function withinBudget(candidates: readonly Candidate[], budget: Budget): Candidate[] {
  const fitting = candidates.filter((candidate) => use(candidate, budget) <= 1);
  if (fitting.length > 0) return fitting;
  const smallest = [...candidates].sort((a, b) => use(a, budget) - use(b, budget))[0]!;
  const needs = [
    `${smallest.params.toLocaleString('en-US')} parameters`,
    ...(smallest.nonEmbeddingParams !== undefined && budget.nonEmbedding
      ? [`${smallest.nonEmbeddingParams.toLocaleString('en-US')} of them non-embedding`]
      : []),
    ...(smallest.flops !== undefined && budget.flops !== undefined
      ? [`${formatCount(smallest.flops)} FLOPs`]
      : []),
    ...(smallest.seconds !== undefined && budget.hours !== undefined
      ? [formatDuration(smallest.seconds)]
      : []),
    ...(smallest.memoryBytes !== undefined && budget.memoryBytes !== undefined
      ? [formatBytes(smallest.memoryBytes)]
      : []),
  ];
  throw new UserError(
    `no configuration fits ${budgetWords(budget)}: the smallest has layers ${smallest.layers}, dim ${smallest.dim} and takes ${needs.join(', ')}`,
    { remedy: 'Raise the budget, or measure smaller configurations first.' },
  );
}

/** The configurations on the budget line: of each number of layers the largest dim that fits, where a larger one does not. */
export function budgetLine(candidates: readonly Candidate[], budget: Budget): Candidate[] {
  const line: Candidate[] = [];
  for (const layers of new Set(candidates.map((candidate) => candidate.layers))) {
    const own = candidates.filter((candidate) => candidate.layers === layers).sort((a, b) => a.dim - b.dim);
    const fitting = own.filter((candidate) => use(candidate, budget) <= 1);
    if (fitting.length > 0 && fitting.length < own.length) line.push(fitting[fitting.length - 1]!);
  }
  return line;
}
