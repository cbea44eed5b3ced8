import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { optimum } from '../../../src/law/fitting/optimum.js';
import { FORM_NAMES } from '../../../src/law/forms/forms.js';
import {
  askedDirection,
  directionNote,
  directionOf,
  metricWords,
  namedDirection,
} from '../../../src/law/points/direction.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { chooseMetric, metricRange } from '../../../src/law/points/points.js';
import { predict } from '../../../src/law/predict/predict.js';
import { identifiability } from '../../../src/law/trust/identifiability.js';
import { bootstrap, optimumIntervals, predictWithInterval } from '../../../src/law/trust/uncertainty.js';
import { createRandom } from '../../../src/util/random.js';

describe('the direction of a metric', () => {
  it.each([
    ...[
      'loss',
      'nll',
      'ce',
      'cross-entropy',
      'crossEntropy',
      'cross_entropy',
      'bpb',
      'bits per byte',
      'perplexity',
    ],
    ...[
      'ppl',
      'rmse',
      'mse',
      'mae',
      'error',
      'logloss',
      'log_loss',
      'validation:loss',
      'val_loss',
      'test_nll',
    ],
    ...[
      'eval/loss',
      'eval_perplexity',
      'train/cross_entropy',
      'test/rmse',
      'LogLoss',
      'testLoss',
      'top1_error',
    ],
    ...[
      'c4_en-validation_CrossEntropyLoss',
      'downstream_bpb_hellaswag_val',
      'loss_c4_val_shard_0',
      'RMSE@10',
    ],
    ...[
      'negative_log_likelihood',
      'neg-log-likelihood',
      'word error rate',
      'bits_per_byte',
      'mean_rank',
      'final_val_loss',
    ],
  ])('is down for %s', (name) => {
    expect(namedDirection(name)).toBe('minimize');
  });

  it.each([
    'ndcg@10',
    'hr@10',
    'validation:ndcg@10',
    'test/recall@20',
    'hit_10',
    'mrr',
    'auc',
    'unmasked:hr@5',
  ])('is up for %s', (name) => {
    expect(namedDirection(name)).toBe('maximize');
  });

  it.each(['accuracy', 'score', 'reward', 'space', 'glossary', 'neg_mean_squared_error', 'log_likelihood'])(
    'is not told by %s: larger is better, and that is said',
    (name) => {
      expect(namedDirection(name)).toBeUndefined();
      expect(directionOf(name)).toBe('maximize');
      expect(directionNote(name)).toMatch(/larger .* is taken to be better; give --minimize/);
      expect(directionNote(name, 'maximize')).toBeUndefined();
    },
  );

  it('is the one asked for, whatever the name', () => {
    expect(directionOf('ndcg@10', 'minimize')).toBe('minimize');
    expect(directionOf('loss', 'maximize')).toBe('maximize');
    expect(askedDirection(true, undefined)).toBe('minimize');
    expect(askedDirection(undefined, undefined)).toBeUndefined();
    expect(() => askedDirection(true, true)).toThrow(/either minimized or maximized/);
  });

  it('stands beside a metric that is no ranking metric', () => {
    expect(metricWords('ndcg@10', 'maximize')).toBe('ndcg@10');
    expect(metricWords('loss', 'minimize')).toBe('loss (lower is better)');
    expect(metricWords('reward', 'maximize')).toBe('reward (larger is better)');
  });

  it('does not decide what is fitted: ranking metrics come before losses, test before validation before training', () => {
    const one = (...names: string[]): Observation[] => [
      { slice: 'all', layers: 1, dim: 1, metrics: Object.fromEntries(names.map((name) => [name, 1])) },
    ];
    expect(chooseMetric(one('loss', 'hr@10', 'ndcg@10'))).toBe('ndcg@10');
    expect(chooseMetric(one('train_loss', 'val_loss'))).toBe('val_loss');
    expect(chooseMetric(one('val_loss', 'test_loss'))).toBe('test_loss');
    expect(chooseMetric(one('loss', 'recall@20'))).toBe('recall@20');
  });

  it('leaves a loss its own range', () => {
    expect(metricRange('loss', [0.2, 0.3])).toEqual([0, Number.POSITIVE_INFINITY]);
    expect(metricRange('perplexity', [12, 9])).toEqual([1, Number.POSITIVE_INFINITY]);
    expect(metricRange('recall_loss', [0.2, 0.3])).toEqual([0, Number.POSITIVE_INFINITY]);
  });
});

/** A metric with or without a maximum on each axis, noise and costs; and its mirror, of which less is better. */
function mirrored(seed: number, { curveH, curveD }: { curveH: number; curveD: number }) {
  const random = createRandom('mirror', seed);
  const rising: Observation[] = [1, 2, 4, 8].flatMap((layers) =>
    [16, 32, 64, 128].map((dim) => {
      const [h, d] = [Math.log(layers / 3), Math.log(dim / 50)];
      const value = 0.3 + 0.02 * h - curveH * h * h + 0.03 * d - curveD * d * d + 4e-4 * random.normal();
      const params = 1000 * dim + 12 * layers * dim * dim;
      return { slice: 'all', layers, dim, params, flops: 1e6 * params, metrics: { 'hr@10': value } };
    }),
  );
  const falling = rising.map((one) => ({ ...one, metrics: { loss: 1 - one.metrics['hr@10']! } }));
  return { rising, falling };
}

describe('a loss is the mirror of a metric that rises', () => {
  it('in every form: coefficients, errors, optimum and what is not identifiable', () => {
    const { rising, falling } = mirrored(1, { curveH: 0.01, curveD: 0.02 });
    for (const form of FORM_NAMES) {
      const up = fitLaw(rising, { form, metric: 'hr@10' });
      const down = fitLaw(falling, { form, metric: 'loss' });
      expect(down.direction).toBe('minimize');
      expect(down.r2, form).toBeCloseTo(up.r2, 8);
      expect(down.rmse, form).toBeCloseTo(up.rmse, 8);
      for (const { layers, dim, params, flops } of rising) {
        const at = { layers, dim, params, flops };
        expect(down.predict(at), form).toBeCloseTo(1 - up.predict(at), 7);
      }
      const [best, least] = [optimum(up), optimum(down)];
      for (const axis of ['layers', 'dim'] as const) {
        if (best[axis] === null) expect(least[axis], form).toBeNull();
        else expect(least[axis]! / best[axis]!, form).toBeCloseTo(1, 4);
        const turned = { rises: 'falls', falls: 'rises' } as Record<string, string>;
        const place = best.axes[axis]?.place;
        expect(least.axes[axis]?.place, form).toBe(place && (turned[place] ?? place));
      }
      const told = (fit: typeof up) =>
        Object.values(identifiability(fit).coefficients).map((one) => one.identifiable);
      expect(told(down), form).toEqual(told(up));
    }
  });

  it('with weights of its own sign: E + A / H^a + B / d^b with A, B > 0, a logistic law that goes down', () => {
    const { falling } = mirrored(2, { curveH: 0.002, curveD: 0.002 });
    const power = fitLaw(falling, { form: 'saturating-power', metric: 'loss' });
    expect(power.equation).toBe('P = E + A / H^a + B / d^b');
    const { E, A, a, B, b } = power.coefficients as Record<'E' | 'A' | 'a' | 'B' | 'b', number>;
    expect(A).toBeGreaterThan(0);
    expect(B).toBeGreaterThan(0);
    expect(E + A / 2 ** a + B / 32 ** b).toBeCloseTo(power.predict({ layers: 2, dim: 32 }), 8);
    const s = fitLaw(falling, { form: 'logistic', metric: 'loss' });
    expect(s.equation).toBe('P = floor + span / (1 + exp(k (ln C - m)))');
    const { floor, span, k, m } = s.coefficients as Record<'floor' | 'span' | 'k' | 'm', number>;
    expect(span).toBeGreaterThan(0);
    expect(floor + span / (1 + Math.exp(k * (Math.log(1e11) - m)))).toBeCloseTo(
      s.predict({ flops: 1e11 }),
      8,
    );
  });

  it('in its intervals, up to the ends of its range', async () => {
    const { rising, falling } = mirrored(3, { curveH: 0.02, curveD: 0.02 });
    const options = { resamples: 80, threads: 1 };
    const up = await bootstrap(fitLaw(rising, { form: 'quadratic-log', metric: 'hr@10' }), options);
    const down = await bootstrap(fitLaw(falling, { form: 'quadratic-log', metric: 'loss' }), options);
    const at = { layers: 3, dim: 48 };
    const [high, low] = [predictWithInterval(up, at).interval, predictWithInterval(down, at).interval];
    expect(low[0]).toBeCloseTo(1 - high[1]!, 8);
    expect(low[1]).toBeCloseTo(1 - high[0]!, 8);
    const ends = (boot: typeof up) => optimumIntervals(boot).dim!;
    expect(ends(down).exists).toBe(ends(up).exists);
    expect(ends(down).interval[0]).toBeCloseTo(ends(up).interval[0]!, 6);
  });

  it('in what is recommended, whatever the law', async () => {
    const curve = fc.constantFrom(0, 0.004, 0.02);
    await fc.assert(
      fc.asyncProperty(
        fc.record({ curveH: curve, curveD: curve }),
        fc.integer({ min: 0, max: 1000 }),
        fc.constantFrom(60_000, 200_000, 2_000_000),
        fc.constantFrom(...FORM_NAMES),
        async (curves, seed, params, form) => {
          const { rising, falling } = mirrored(seed, curves);
          // a share of the best would be another share of a loss
          const tolerance = { value: 0.004, relative: false };
          const options = { budget: { params }, resamples: 40, threads: 1, form, tolerance };
          const up = await predict(rising, { ...options, metric: 'hr@10' });
          const down = await predict(falling, { ...options, metric: 'loss' });
          const shape = (one: { layers: number; dim: number } | null) => one && [one.layers, one.dim];
          // where the law leaves [0, 1] both are cut off, and there only one of the two has an end
          fc.pre(up.highest.predicted < 0.9);
          for (const which of ['best', 'highest', 'smallest', 'budgetLine'] as const) {
            const [one, other] = [down[which], up[which]];
            expect(one === null).toBe(other === null);
            if (!one || !other) continue;
            // the worlds that a decision draws are mirrored to the last digits only, and where nothing is sure these may decide
            const isDecided = which === 'highest' || which === 'budgetLine';
            const apart = Math.abs(one.predicted - 1 + other.predicted);
            expect(apart).toBeLessThan(isDecided ? 1e-6 : 2 * tolerance.value);
            if (isDecided && curves.curveH > 0 && curves.curveD > 0) expect(shape(one)).toEqual(shape(other));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('of which the options turn the answer round', async () => {
    const { rising } = mirrored(4, { curveH: 0.02, curveD: 0.02 });
    const options = { budget: { params: 2e6 }, resamples: 0, threads: 1, metric: 'hr@10' } as const;
    const best = await predict(rising, options);
    const worst = await predict(rising, { ...options, direction: 'minimize' });
    expect(worst.best.predicted).toBeLessThan(best.best.predicted - 0.02);
    expect(worst.direction).toBe('minimize');
  });
});
