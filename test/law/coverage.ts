/** How often a nominal interval holds the truth, on simulated sweeps. */
import { fitLaw } from '../../src/law/fitting/fit.js';
import type { FormName } from '../../src/law/forms/form.js';
import type { Observation } from '../../src/law/points/observation.js';
import { bootstrap, predictWithInterval } from '../../src/law/trust/uncertainty.js';
import { createRandom } from '../../src/util/random.js';

export interface Setting {
  name: string;
  layers: number[];
  dims: number[];
  /** Runs of each configuration, or of the i-th. */
  seeds: number | ((index: number) => number);
  noise: number;
  form: FormName;
  truth(layers: number, dim: number): number;
  /** Where one new run is predicted. */
  at: [layers: number, dim: number][];
}

const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);
const law = (layers: number, dim: number) => 0.16 * g(layers, -0.26) + 2.2 * g(dim, -0.1665) + 1.0388;

export const SETTINGS: Setting[] = [
  {
    name: 'performance law, 6 x 4, one seed, inside and outside',
    layers: [4, 8, 12, 16, 24, 32],
    dims: [25, 50, 75, 100],
    seeds: 1,
    noise: 0.002,
    form: 'performance-law',
    truth: law,
    at: [
      [16, 64],
      [6, 100],
      [48, 64],
      [16, 128],
    ],
  },
  {
    name: 'performance law, 4 x 4, noisy',
    layers: [1, 2, 4, 8],
    dims: [16, 32, 64, 128],
    seeds: 1,
    noise: 0.006,
    form: 'performance-law',
    truth: law,
    at: [
      [3, 48],
      [8, 192],
    ],
  },
  {
    name: 'performance law, 3 x 3, three seeds',
    layers: [1, 2, 4],
    dims: [32, 64, 128],
    seeds: 3,
    noise: 0.003,
    form: 'performance-law',
    truth: law,
    at: [
      [3, 96],
      [2, 64],
    ],
  },
  {
    name: 'log-linear, 3 x 3, two seeds',
    layers: [1, 2, 4],
    dims: [16, 32, 64],
    seeds: 2,
    noise: 0.003,
    form: 'log-linear',
    truth: (l, d) => 0.1 + 0.01 * Math.log(l) + 0.02 * Math.log(d),
    at: [
      [3, 48],
      [4, 64],
    ],
  },
  {
    name: 'log-linear, 4 x 4, five seeds of one configuration, one of the others',
    layers: [1, 2, 4, 8],
    dims: [16, 32, 64, 128],
    seeds: (index) => (index === 5 ? 5 : 1),
    noise: 0.003,
    form: 'log-linear',
    truth: (l, d) => 0.1 + 0.01 * Math.log(l) + 0.02 * Math.log(d),
    at: [
      [3, 48],
      [8, 128],
    ],
  },
  {
    name: 'quadratic, 3 x 3, one seed',
    layers: [1, 2, 4],
    dims: [32, 64, 128],
    seeds: 1,
    noise: 0.003,
    form: 'quadratic-log',
    truth: (l, d) =>
      0.2 + 0.01 * Math.log(l) - 0.003 * Math.log(l) ** 2 + 0.02 * Math.log(d) - 0.002 * Math.log(d) ** 2,
    at: [
      [3, 96],
      [4, 192],
    ],
  },
  {
    name: 'saturating power, 5 x 4',
    layers: [1, 2, 4, 8, 16],
    dims: [16, 32, 64, 128],
    seeds: 1,
    noise: 0.003,
    form: 'saturating-power',
    truth: (l, d) => 0.35 - 0.05 / l ** 0.7 - 0.6 / d ** 0.6,
    at: [
      [6, 96],
      [24, 192],
    ],
  },
  {
    name: 'log-linear, 3 x 2, one seed',
    layers: [1, 2, 3],
    dims: [32, 64],
    seeds: 1,
    noise: 0.004,
    form: 'log-linear',
    truth: (l, d) => 0.1 + 0.01 * Math.log(l) + 0.02 * Math.log(d),
    at: [
      [2, 48],
      [4, 96],
    ],
  },
];

export interface Coverage {
  /** Share of new runs inside the 90 % prediction interval. */
  prediction: number;
  predictions: number;
  /** The same for the law itself. */
  law: number;
}

export async function coverage(setting: Setting, sweeps: number, resamples: number): Promise<Coverage> {
  let inside = 0;
  let insideLaw = 0;
  let count = 0;
  for (let sweep = 0; sweep < sweeps; sweep++) {
    const random = createRandom('coverage', setting.name, sweep);
    const observations: Observation[] = [];
    const { seeds } = setting;
    let index = 0;
    for (const layers of setting.layers)
      for (const dim of setting.dims) {
        const runs = typeof seeds === 'number' ? seeds : seeds(index++);
        for (let seed = 0; seed < runs; seed++)
          observations.push({
            slice: 'all',
            layers,
            dim,
            seed,
            metrics: { 'hr@10': setting.truth(layers, dim) + setting.noise * random.normal() },
          });
      }
    const fit = fitLaw(observations, { form: setting.form });
    const boot = await bootstrap(fit, { resamples, seed: sweep, threads: 1 });
    for (const [layers, dim] of setting.at) {
      const truth = setting.truth(layers, dim);
      const { interval, law: band } = predictWithInterval(boot, { layers, dim });
      const run = truth + setting.noise * random.normal();
      if (run >= interval[0]! && run <= interval[1]!) inside++;
      if (truth >= band[0]! && truth <= band[1]!) insideLaw++;
      count++;
    }
  }
  return { prediction: inside / count, predictions: count, law: insideLaw / count };
}
