import { describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { panelsOf, toPoints } from '../../../src/law/points/points.js';
import { type HoldoutOptions, holdOut } from '../../../src/law/trust/holdout.js';
import { bootstrap, predictWithInterval } from '../../../src/law/trust/uncertainty.js';
import { type HoldoutSplit, parseSplit, withholdBy } from '../../../src/law/trust/withhold.js';
import { ML1M } from '../panel-ml1m.js';

const { points } = toPoints(ML1M, 'hr@10');
const [panel] = panelsOf(ML1M);
const options = (split: HoldoutSplit): HoldoutOptions => ({
  metric: 'hr@10',
  split,
  resamples: 100,
  threads: 1,
});

describe('what is withheld', () => {
  const count = (split: HoldoutSplit) => withholdBy(points, split)!.withheld.length;

  it('is the largest of an axis, of either, of both, or a share', () => {
    expect(count('dim')).toBe(6);
    expect(count('layers')).toBe(4);
    expect(count('both')).toBe(9);
    expect(count('corner')).toBe(1);
    expect(count({ share: 0.25, seed: 0 })).toBe(6);
    expect(withholdBy(points, 'dim')!.withheld.every(({ x }) => x.dim === 100)).toBe(true);
    for (const split of ['dim', 'layers', 'both', 'corner', { share: 0.25, seed: 0 }] as HoldoutSplit[]) {
      const { kept, withheld } = withholdBy(points, split)!;
      expect(new Set([...kept, ...withheld])).toEqual(new Set(points));
    }
  });

  it('at random depends on the seed alone', () => {
    const at = (seed: number) => withholdBy(points, { share: 0.25, seed })!.withheld;
    expect(at(3)).toEqual(at(3));
    expect(at(3)).not.toEqual(at(4));
  });

  it('never leaves an axis with one of its values', () => {
    const two = points.filter(({ x }) => x.dim! <= 50);
    expect(withholdBy(two, 'dim')).toBeUndefined();
    expect(withholdBy(two, 'layers')!.withheld).toHaveLength(2);
  });

  it('is read from words and shares', () => {
    expect(parseSplit('Dim', 0)).toBe('dim');
    expect(parseSplit('20%', 7)).toEqual({ share: 0.2, seed: 7 });
    for (const text of ['', 'half', '0%', '100%', '20'])
      expect(() => parseSplit(text, 0)).toThrow(expect.objectContaining({ place: '--holdout' }));
  });
});

describe('predictions of what was withheld', () => {
  it('are those of a law fitted to the rest, with its intervals', async () => {
    const found = await holdOut(panel!, options('dim'));
    expect(found).toMatchObject({ trained: 18, tested: 6, what: 'the largest dim' });
    const rest = ML1M.filter(({ dim }) => dim < 100);
    const fit = fitLaw(rest, { form: 'performance-law' });
    const boot = await bootstrap(fit, { resamples: 100, threads: 1 });
    const own = found.forms.find(({ form }) => form === 'performance-law')!;
    for (const run of own.runs) {
      const expected = predictWithInterval(boot, { layers: run.layers, dim: run.dim });
      expect(run.predicted).toBeCloseTo(expected.value, 10);
      expect(run.interval![0]).toBeCloseTo(expected.interval[0]!, 10);
      expect(run.inside).toBe(run.measured >= run.interval![0]! && run.measured <= run.interval![1]!);
    }
    const errors = own.runs.map(({ predicted, measured }) => predicted - measured);
    expect(own.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / 6), 12);
    expect(own.bias).toBeCloseTo(errors.reduce((sum, e) => sum + e, 0) / 6, 12);
    expect(own.coverage).toBe(own.runs.filter(({ inside }) => inside).length / 6);
  });

  it('of the form that is chosen do not depend on what was withheld', async () => {
    const spoilt = ML1M.map((one) => (one.dim === 100 ? { ...one, metrics: { 'hr@10': 0.9 } } : one));
    const [clean, other] = [
      await holdOut(panel!, { ...options('dim'), resamples: 0 }),
      await holdOut(panelsOf(spoilt)[0]!, { ...options('dim'), resamples: 0 }),
    ];
    expect(other.chosen).toBe(clean.chosen);
    expect(other.forms.map(({ runs }) => runs.map(({ predicted }) => predicted))).toEqual(
      clean.forms.map(({ runs }) => runs.map(({ predicted }) => predicted)),
    );
    expect(clean.forms[0]).toMatchObject({ coverage: null, width: null });
  });

  it('say why a form has none, and carry the nearest configuration over for comparison', async () => {
    const found = await holdOut(panel!, options('dim'));
    expect(found.forms.find(({ form }) => form === 'logistic')!.reason).toMatch(/needs training FLOPs/);
    const errors = ML1M.filter(({ dim }) => dim === 100).map((one) => {
      const near = ML1M.find(({ layers, dim }) => layers === one.layers && dim === 75)!;
      return near.metrics['hr@10']! - one.metrics['hr@10']!;
    });
    expect(found.nearest.rmse).toBeCloseTo(Math.sqrt(errors.reduce((sum, e) => sum + e * e, 0) / 6), 12);
  });

  it('are refused where nothing can be withheld', async () => {
    const [narrow] = panelsOf(ML1M.filter(({ dim }) => dim === 25));
    await expect(holdOut(narrow!, options('dim'))).rejects.toMatchObject({ place: '--holdout' });
  });
});
