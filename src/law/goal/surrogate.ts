/**
 * What is believed of runs not yet made, from few: one Gaussian process over layers, dim, slices and settings together
 * (Rasmussen and Williams 2006, ch. 2 and 5). On every slice a level of its own, and one shape in common: a plane and a
 * parabola in ln H and ln d, a smooth curve an axis and a smooth surface; slices share it the more the nearer their sizes are. Laws and the forecast need many runs of
 * one slice; this says something from the first run on, and how unsure it is. The metric is taken in its logarithm, in which
 * changes are alike on slices of different level.
 */
import { backward, cholesky, forward } from '../fitting/cholesky.js';
import { descend } from '../fitting/descend.js';
import { absentSetting, type Settings } from '../points/settings.js';

/** What a run is about: everything but its seed. */
export interface Place {
  layers: number;
  dim: number;
  slice: string;
  /** Tokens of the slice, where its size is known. */
  tokens?: number;
  /** Settings in which runs differ beside their size. */
  settings?: Settings;
}

/** The metric of the runs made at one place. */
export interface Told {
  place: Place;
  values: readonly number[];
}

/** Belief about the logarithm of the metric. */
export interface Surrogate {
  mean(places: readonly Place[]): Float64Array;
  /** Rows of `a`, columns of `b`; without the noise of runs. */
  covariance(a: readonly Place[], b: readonly Place[]): Float64Array[];
  /** Deviation of one run. */
  noise: number;
}

/** ln of: rise over the range, length of the curves, their amplitude, that of the surface, of settings, reach of slices; noise. */
type Hyper = [
  rise: number,
  length: number,
  curve: number,
  surface: number,
  setting: number,
  reach: number,
  noise: number,
];

/** How large what a run says is, before any is made: a share of the metric, within several times. */
const PRIOR: readonly { mean: number; deviation: number }[] = [
  { mean: Math.log(0.15), deviation: 1 },
  { mean: 0, deviation: 0.5 },
  { mean: Math.log(0.5), deviation: 0.6 },
  { mean: Math.log(0.15), deviation: 0.6 },
  { mean: Math.log(0.4), deviation: 0.7 },
  { mean: Math.log(4), deviation: 0.7 },
  { mean: Math.log(0.01), deviation: 1 },
];
/** Deviation of a slice's level: anything. */
const LEVEL = 3;
/** Before anything is known the wider is taken to be better, by so much of the rise; of more layers nothing is taken. */
const TREND = 0.5;
/** What slices of unknown size have in common, and those of equal size. */
const ALIKE = 0.8;
/** Settings whose values are words have so much in common. */
const WORDS = 0.3;
const NOTHING = 0.1;
const JITTER = 1e-9;
/** Deviation of how much an axis bends, and of how much one takes from the other, over that of the rise. */
const BEND = 0.5;
const CROSS = 0.5;
/** The square, carried on straight beyond the range. */
const bent = (u: number) => (Math.abs(u) <= 0.5 ? u * u : Math.abs(u) - 0.25);

const matern = (distance: number) => {
  const s = Math.sqrt(5) * distance;
  return (1 + s + (s * s) / 3) * Math.exp(-s);
};

export interface Spot {
  u: [number, number];
  slice: string;
  tokens: number | undefined;
  settings: (number | string)[];
}

/** The axes on which places are told apart, and their ranges: those of everything that may be run. */
export interface Scales {
  spot(place: Place): Spot;
  varies: boolean;
}

export function scalesOf(pool: readonly Place[]): Scales {
  const range = (values: number[]) => {
    const logs = values.map(Math.log);
    const [low, high] = [Math.min(...logs), Math.max(...logs)];
    return { middle: (low + high) / 2, range: Math.max(high - low, 1e-9), fixed: high - low < 1e-9 };
  };
  const sizes = [range(pool.map(({ layers }) => layers)), range(pool.map(({ dim }) => dim))] as const;
  const names = [...new Set(pool.flatMap(({ settings }) => Object.keys(settings ?? {})))].sort();
  const settingOf = ({ settings }: Place, name: string) => settings?.[name] ?? absentSetting(name);
  const varying = names.filter((name) => new Set(pool.map((place) => settingOf(place, name))).size > 1);
  const numeric = new Map(
    varying.flatMap((name) => {
      const values = pool.map((place) => settingOf(place, name));
      return values.every((value) => typeof value === 'number' && value > 0)
        ? [[name, range(values as number[])] as const]
        : [];
    }),
  );
  return {
    varies: varying.length > 0,
    spot: (place) => ({
      u: [place.layers, place.dim].map((value, i) =>
        sizes[i]!.fixed ? 0 : (Math.log(value) - sizes[i]!.middle) / sizes[i]!.range,
      ) as [number, number],
      slice: place.slice,
      tokens: place.tokens === undefined ? undefined : Math.log(place.tokens),
      settings: varying.map((name) => {
        const value = settingOf(place, name);
        const scale = numeric.get(name);
        return scale ? (Math.log(value as number) - scale.middle) / scale.range : String(value);
      }),
    }),
  };
}

/** What two slices have in common, 0 to 1. */
function common(a: Spot, b: Spot, reach: number): number {
  if (a.slice === b.slice) return 1;
  if (a.tokens === undefined || b.tokens === undefined) return ALIKE;
  const gap = Math.abs(a.tokens - b.tokens);
  return (gap < 1e-9 ? ALIKE : 1) * Math.exp(-gap / reach);
}

function likeness(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  let product = 1;
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    if (typeof x === 'number' && typeof y === 'number') product *= matern(Math.abs(x - y) / 0.7);
    else if (x !== y) product *= WORDS;
  }
  return product;
}

type Kernel = (a: Spot, b: Spot) => number;

function kernelOf(hyper: Hyper, levels: ReadonlySet<string>): Kernel {
  const [rise, length, curve, surface, setting, reach] = hyper.map(Math.exp) as Hyper;
  const [rise2, curve2, surface2, setting2] = [rise ** 2, curve ** 2, surface ** 2, setting ** 2];
  return (a, b) => {
    let plane = CROSS ** 2 * a.u[0] * a.u[1] * b.u[0] * b.u[1];
    let curves = 0;
    let square = 0;
    for (let i = 0; i < 2; i++) {
      const gap = Math.abs(a.u[i]! - b.u[i]!) / length;
      plane += a.u[i]! * b.u[i]! + BEND ** 2 * bent(a.u[i]!) * bent(b.u[i]!);
      curves += matern(gap);
      square += gap * gap;
    }
    const whole = matern(Math.sqrt(square));
    let shape = plane + curve2 * curves + surface2 * whole;
    if (a.settings.length > 0) {
      const same = likeness(a.settings, b.settings);
      shape += setting2 * same * (0.5 + 0.5 * whole);
    }
    return (
      (a.slice === b.slice && levels.has(a.slice) ? LEVEL ** 2 : 0) + rise2 * common(a, b, reach) * shape
    );
  };
}

/** @param sign 1 where more of the metric is better, -1 where less is. */
export function fitSurrogate(told: readonly Told[], scales: Scales, sign: 1 | -1): Surrogate {
  const n = told.length;
  const spots = told.map(({ place }) => scales.spot(place));
  // the level of a slice without runs is left out: configurations are compared on it, and one run there will tell it
  const levels = new Set(told.map(({ place }) => place.slice));
  const counts = told.map(({ values }) => values.length);
  // a metric of 0 has no logarithm: it is taken for a small part of the least that was measured
  const least = Math.min(1, ...told.flatMap(({ values }) => values.filter((value) => value > 0)));
  const logs = told.map(({ values }) => values.map((value) => Math.log(Math.max(value, NOTHING * least))));
  const values = logs.map((own) => own.reduce((a, b) => a + b, 0) / own.length);
  const middle = n > 0 ? values.reduce((a, b) => a + b, 0) / n : 0;
  const within = logs.reduce((sum, own, i) => sum + own.reduce((s, v) => s + (v - values[i]!) ** 2, 0), 0);
  const free = counts.reduce((sum, count) => sum + count - 1, 0);
  const trend = ({ u: [, width] }: Spot, hyper: Hyper) => sign * TREND * Math.exp(hyper[0]) * width;

  const solve = (hyper: Hyper) => {
    const noise = Math.exp(2 * hyper[6]);
    const kernel = kernelOf(hyper, levels);
    const k = spots.map((a, i) => {
      const row = new Float64Array(i + 1);
      for (let j = 0; j <= i; j++) row[j] = kernel(a, spots[j]!);
      row[i]! += noise / counts[i]! + JITTER;
      return row;
    });
    const factor = cholesky(k);
    if (!factor) return undefined;
    const half = forward(
      factor,
      values.map((value, i) => value - middle - trend(spots[i]!, hyper)),
    );
    let minusLog = free * hyper[6] + within / (2 * noise);
    for (let i = 0; i < n; i++) minusLog += 0.5 * half[i]! ** 2 + Math.log(factor[i]![i]!);
    hyper.forEach((value, i) => {
      minusLog += 0.5 * ((value - PRIOR[i]!.mean) / PRIOR[i]!.deviation) ** 2;
    });
    return { factor, half, minusLog };
  };
  const asked = PRIOR.map((_, i) => i).filter((i) => i !== 4 || scales.varies);
  const hyper = descend(
    (one) => solve(one)?.minusLog ?? Number.POSITIVE_INFINITY,
    PRIOR.map(({ mean }) => mean) as Hyper,
    n > 1 ? asked : [],
  );
  const { factor, half } = solve(hyper)!;
  const kernel = kernelOf(hyper, levels);
  const weights = backward(factor, half);
  const across = (spot: Spot) => Float64Array.from(spots, (one) => kernel(spot, one));
  return {
    noise: Math.exp(hyper[6]),
    mean: (places) =>
      Float64Array.from(places, (place) => {
        const spot = scales.spot(place);
        const row = across(spot);
        let sum = middle + trend(spot, hyper);
        for (let i = 0; i < n; i++) sum += row[i]! * weights[i]!;
        return sum;
      }),
    covariance(a, b) {
      const left = a.map(scales.spot);
      const right = b === a ? left : b.map(scales.spot);
      const halves = (of: Spot[]) => of.map((spot) => forward(factor, across(spot)));
      const leftHalf = halves(left);
      const rightHalf = b === a ? leftHalf : halves(right);
      return left.map((one, i) =>
        Float64Array.from(right, (other, j) => {
          let value = kernel(one, other);
          const [x, y] = [leftHalf[i]!, rightHalf[j]!];
          for (let m = 0; m < n; m++) value -= x[m]! * y[m]!;
          return value;
        }),
      );
    },
  };
}
