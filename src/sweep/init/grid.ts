/** Sizes, slices, seeds and rates: from a smallest law up, one step at a time, as far as the budget reaches. */
import type { SliceSpec } from '../../data/slice.js';
import { DEFAULT_MODEL } from '../../model/config.js';
import { countParameters } from '../../model/size.js';
import type { DataLook } from './look.js';
import { type Choice, type Recipe, rateFor } from './recipe.js';

/** What is varied. */
export interface Grid {
  /** Rising. */
  dims: number[];
  /** Rising. */
  layers: number[];
  /** Of the largest dim only these layers are too large; absent where all of them are within the parameters. */
  excluded?: { dim: number; layers: number[] };
  slices: SliceSpec[];
  /** The rate at dim 16, and those that are tried where it is tuned. */
  rate: Choice<number>;
  rates: number[];
  /** On the largest slice; the first alone on the others. */
  seeds: number[];
  epochs: number;
  /** Events of the largest slice, and steps over them an epoch. */
  tokens: number;
  steps: number;
}

/** A grid in the few numbers that are chosen. */
export interface Design {
  /** Largest dim, and how many of them. */
  dim: number;
  dims: 3 | 4;
  deep: boolean;
  /** Largest share of the data, and how many of them. */
  share: number;
  slices: 1 | 2 | 3;
  tuned: boolean;
  /** Runs of each size on the largest slice. */
  seeds: 1 | 2 | 3;
  epochs: number;
}

/** Each is half of another, so that dims lie evenly in their logarithm. */
const DIMS = [4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024];
const SHARES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1];
const DEPTHS = [1, 2, 4];

/** Weights outside the item table an event: on MovieLens 100K nothing was gained beyond 3 (README), so the top lies inside. */
export const WEIGHTS_AN_EVENT = 10;

/** Users of a slice below which it is cut by time instead: a few users more or less would be another data set. */
const FEWEST_USERS = 100;
/** Fewest epochs in which anything is learnt. */
const FEWEST_EPOCHS = 5;
/** Events of a slice below which there is nothing to learn from it. */
const FEWEST_EVENTS = 2000;
/** Events of a slice below which more data come before more slices. */
const MANY_EVENTS = 20_000;

/** Parameters of a size by this recipe. */
export function sizeOf({ dState, maxLength }: Recipe, items: number, dim: number, layers: number) {
  const model = { ...DEFAULT_MODEL, dim, layers, dState: dState.value, maxLength: maxLength.value };
  return countParameters({ ...model, residual: 'always' }, items);
}

const deepest = (deep: boolean) => (deep ? [...DEPTHS, 8] : DEPTHS);

/** Whether the largest model of a design lies within the parameters, and is not far past what the data can feed. */
export function holds(
  design: Pick<Design, 'dim' | 'deep'>,
  look: DataLook,
  recipe: Recipe,
  params = Infinity,
) {
  const { total, nonEmbedding } = sizeOf(recipe, look.items, design.dim, deepest(design.deep).at(-1)!);
  return total <= params && (nonEmbedding <= WEIGHTS_AN_EVENT * look.tokens || design.dim <= 16);
}

/**
 * The smallest designs worth running, three dims by three depths on one or two slices: the first is the one to begin with, the others
 * take less time, by fewer epochs and then by smaller models. None where no size is within `params`.
 */
export function smallestDesigns(look: DataLook, recipe: Recipe, params?: number): Design[] {
  const share = SHARES.find((s) => s * look.tokens >= 10_000 && s * look.users >= 2 * FEWEST_USERS) ?? 1;
  const slices = share * look.tokens >= 2 * FEWEST_EVENTS ? 2 : 1;
  const base = { dims: 3, deep: false, share, slices, tuned: false, seeds: 1 } as const;
  const epochs = epochsOf(recipe);
  // The widest is no place to begin with the fewest epochs.
  return [32, 16, 12, 8, 6, 4]
    .filter((dim) => holds({ dim, deep: false }, look, recipe, params))
    .flatMap((dim) =>
      (dim === 32 ? epochs.slice(0, -1) : epochs).map((few) => ({ ...base, dim, epochs: few })),
    );
}

/** Epochs, the most first: shorter trainings leave time for more data. */
function epochsOf({ epochs: value }: Recipe): number[] {
  const fewest = Math.min(value, FEWEST_EPOCHS);
  return [...new Set([1, 0.6, 0.4, 0].map((share) => Math.max(fewest, Math.round(share * value))))];
}

/** One step more of something, or undefined where there is no more of it. */
export type Step = (design: Design, look: DataLook, recipe: Recipe) => Design | undefined;
const next = (ladder: readonly number[], value: number) => ladder.find((one) => one > value);

const moreData: Step = (design) => {
  const share = next(SHARES, design.share);
  return share === undefined ? undefined : { ...design, share };
};
const wider: Step = (design) => {
  const dim = next(DIMS, design.dim);
  return dim === undefined ? undefined : { ...design, dim };
};
const deeper: Step = (design) => (design.deep || design.dim < 64 ? undefined : { ...design, deep: true });
const longer: Step = (design, _, { epochs }) =>
  design.epochs < epochs
    ? { ...design, epochs: Math.min(epochs, Math.ceil(1.25 * design.epochs)) }
    : undefined;
const moreSlices: Step = (design, look) =>
  design.slices < 3 && (design.share * look.tokens) / 4 >= (design.share === 1 ? FEWEST_EVENTS : MANY_EVENTS)
    ? { ...design, slices: (design.slices + 1) as 2 | 3 }
    : undefined;
const moreDims: Step = (design) =>
  design.dims === 3 && design.dim >= 32 ? { ...design, dims: 4 } : undefined;
const tuned: Step = (design) => (design.tuned ? undefined : { ...design, tuned: true });
const moreSeeds: Step = (design) =>
  design.seeds < 3 ? { ...design, seeds: (design.seeds + 1) as 2 | 3 } : undefined;

/** What models need: events and width. */
export const REACH: readonly Step[] = [moreData, wider];
/** What only pays when there is time for it. */
export const MORE: readonly Step[] = [longer, deeper];
/** What a law needs beyond them: values to bend over, and the rate. */
export const DETAIL: readonly Step[] = [moreSlices, moreDims, tuned];
/** What is noise: asked for last, and of the slice alone on which is decided what to train. */
export const REPEATS: readonly Step[] = [moreSeeds];

/** The axes of a design. */
export function gridOf(design: Design, look: DataLook, recipe: Recipe): Grid {
  const tokens = Math.round(design.share * look.tokens);
  const steps = Math.ceil(tokens / (recipe.rows * recipe.maxLength.value));
  const rate = rateFor(steps * design.epochs);
  return {
    dims: dimsUpTo(design.dim, design.dims),
    layers: deepest(design.deep),
    slices: slicesOf(design, look),
    rate,
    rates: design.tuned ? [rate.value / 2, rate.value, 2 * rate.value] : [rate.value],
    seeds: Array.from({ length: design.seeds }, (_, seed) => seed),
    epochs: design.epochs,
    tokens,
    steps,
  };
}

/**
 * The grid with one dim more, up to twice the largest, at which fewer layers are within the parameters: otherwise the shallow and wide
 * models that they allow would lie beyond everything measured.
 */
export function widened(grid: Grid, look: DataLook, recipe: Recipe, params: number): Grid {
  const { dims, layers } = grid;
  const largest = dims.at(-1)!;
  const fits = (dim: number, depth: number) => {
    const { total, nonEmbedding } = sizeOf(recipe, look.items, dim, depth);
    return total <= params && nonEmbedding <= WEIGHTS_AN_EVENT * look.tokens;
  };
  const dim = DIMS.filter((one) => one > largest && one <= 2 * largest && fits(one, layers[0]!)).at(-1);
  if (dim === undefined) return grid;
  const tooLarge = layers.filter((depth) => !fits(dim, depth));
  // Where all layers fit, a wider grid is a step of its own, if there is time for it.
  return tooLarge.length === 0
    ? grid
    : { ...grid, dims: [...dims, dim], excluded: { dim, layers: tooLarge } };
}

/** Halves of the largest, or its neighbours where there are too few. */
function dimsUpTo(largest: number, wanted: number): number[] {
  const halves = Array.from({ length: wanted }, (_, i) => largest / 2 ** i).filter((dim) =>
    DIMS.includes(dim),
  );
  const dims = halves.length >= 3 ? halves : DIMS.filter((dim) => dim <= largest).slice(-3);
  return dims.sort((a, b) => a - b);
}

/** A quarter, a half and all; of two, the half only where a quarter is too little. */
function slicesOf({ share, slices }: Design, look: DataLook): SliceSpec[] {
  const least = (share * look.tokens) / 4 >= FEWEST_EVENTS ? 0.25 : 0.5;
  const parts = { 1: [1], 2: [least, 1], 3: [0.25, 0.5, 1] }[slices];
  const shares = parts.map((part) => Number((part * share).toPrecision(3)));
  return shares[0]! * look.users >= FEWEST_USERS || slices === 1
    ? shares.map((users) => ({ users }))
    : shares.map((part) => ({ users: 1, ...(part < 1 ? { time: part } : {}) }));
}
