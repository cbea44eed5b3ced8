import { describe, expect, it } from 'vitest';
import { compareDataMeasures, type MeasureLine, type SliceLevel } from '../../src/law/data-term.js';
import { fitLaw } from '../../src/law/fitting/fit.js';
import { analyseJoint } from '../../src/law/joint.js';
import type { Observation } from '../../src/law/points/observation.js';

/** The published table: tokens, S' = 1 / real entropy, and 1/D' (x 1e-7) of the fitted laws. */
const PUBLISHED: [string, number, number, number][] = [
  ['KuaiRand 1', 447_407, 0.2998, 0.98],
  ['KuaiRand 2', 570_537, 0.3153, 0.8081],
  ['KuaiRand 3', 661_028, 0.3544, 0.556],
  ['ML-1M 1', 505_108, 0.1864, 1.3699],
  ['ML-1M 2', 802_493, 0.1856, 0.8972],
  ['ML-1M 3', 1_058_511, 0.1854, 0.7839],
  ['Books 1', 7_076_238, 0.1129, 0.2404],
  ['Books 2', 8_044_865, 0.113, 0.21],
  ['industrial 1', 327_509_107, 0.4001, 0.0197],
  ['industrial 2', 513_878_761, 0.3769, 0.0142],
];
const rows = PUBLISHED.map(
  ([slice, tokens, inverse, level]): SliceLevel => ({ slice, tokens, quality: { real: 1 / inverse }, level }),
);
const lines = compareDataMeasures(rows);
const line = (measure: string, axes: MeasureLine['axes'], list = lines) =>
  list.find((one) => one.measure === measure && one.axes === axes)!;

describe('the published data term', () => {
  it('has the R^2 of a straight line in reciprocal axes', () => {
    // published: real entropy .991 (HR) and .990 (NDCG), tokens alone .826 and .816
    expect(line('real', 'reciprocal').r2).toBeCloseTo(0.991, 3);
    expect(line('tokens', 'reciprocal').r2).toBeCloseTo(0.816, 3);
  });

  it('shows that tokens alone already give .98 in log axes', () => {
    expect(line('tokens', 'log').r2).toBeCloseTo(0.98, 2);
  });
});

describe('the straight lines', () => {
  it('asks for three slices, and for measures above 0', () => {
    expect(() => compareDataMeasures(rows.slice(0, 2))).toThrow(/at least 3 slices/);
    expect(() => compareDataMeasures([{ ...rows[0]!, tokens: 0 }, rows[1]!, rows[2]!])).toThrow(
      /tokens is 0/,
    );
  });
});

describe('a joint fit over slices', () => {
  const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);
  const observations = [2e4, 5e4, 1e5, 2e5, 4e5].flatMap((tokens, s) =>
    [1, 2, 4, 8].flatMap((layers) =>
      [16, 32, 64, 128].map((dim): Observation => {
        const apen = 1 + 0.2 * s;
        return {
          slice: `s${s}`,
          layers,
          dim,
          tokens,
          quality: { apen },
          metrics: {
            'hr@10': 0.3 * g(layers, -0.4) + 1.5 * g(dim, -0.18) + 0.03 * Math.log(tokens / apen) + 0.5,
          },
        };
      }),
    ),
  );

  it('shares the terms of layers and dim and keeps a constant a slice', () => {
    const fit = fitLaw(observations, { form: 'performance-law' });
    expect(fit.coefficients['a']).toBeCloseTo(-0.4, 4);
    expect(fit.coefficients["a'"]).toBeCloseTo(-0.18, 4);
    expect(fit.coefficients['c[s3]']! - fit.coefficients['c[s1]']!).toBeCloseTo(
      0.03 * Math.log(2e5 / 1.6 / (5e4 / 1.2)),
      6,
    );
    expect(() => fit.predict({ layers: 2, dim: 32, slice: 's9' })).toThrow(/never measured/);
  });

  it('fits tokens over quality where that made the data', () => {
    const joint = analyseJoint(observations, 'hr@10', { form: 'log-linear' });
    const r2 = Object.fromEntries(joint.dataTerms.map((term) => [term.data, term.r2]));
    expect(r2['tokens/apen']).toBeGreaterThan(r2['tokens']!);
    const exact = fitLaw(observations, { form: 'performance-law', data: { tokensOver: 'apen' } });
    expect(exact.r2).toBeGreaterThan(1 - 1e-6);
    expect(Object.keys(exact.coefficients)).toContain("a''");
  });

  it('predicts a slice that was left out, better where the data term is the one that made the data', () => {
    const joint = analyseJoint(observations, 'hr@10', { form: 'performance-law' });
    const left = Object.fromEntries(joint.dataTerms.map((term) => [term.data, term.leftOutRmse!]));
    expect(left['tokens/apen']).toBeLessThan(0.5 * left['tokens']!);
    const { leftOutRmse } = analyseJoint(
      observations.filter(({ slice }) => slice < 's3'),
      'hr@10',
      { form: 'log-linear' },
    ).dataTerms[0]!;
    expect(leftOutRmse).toBeNull();
  });

  it('gives no error on a slice left out of four where the term would be another without it, and says so', () => {
    const four = observations.filter(({ slice }) => slice < 's4');
    const curved = analyseJoint(four, 'hr@10', { form: 'saturating-power' });
    expect(curved.dataTerms.map(({ leftOutRmse }) => leftOutRmse)).toEqual([null, null]);
    expect(curved.notes.join()).toMatch(/with four slices the data term of saturating-power cannot be tried/);
    const straight = analyseJoint(four, 'hr@10', { form: 'log-linear' });
    for (const { leftOutRmse } of straight.dataTerms) expect(leftOutRmse).toBeGreaterThan(0);
    expect(straight.notes.join()).not.toMatch(/cannot be tried/);
  });

  it('says what three slices, and two, cannot tell', () => {
    const notes = (count: number) =>
      analyseJoint(
        observations.filter(({ slice }) => slice < `s${count}`),
        'hr@10',
        { form: 'log-linear' },
      ).notes.join();
    expect(notes(3)).toMatch(/takes five to test/);
    expect(notes(4)).toMatch(/takes five to test/);
    expect(notes(2)).toMatch(/two slices make any straight line perfect/);
    expect(notes(5)).not.toMatch(/slices/);
  });

  it('never has a data term on one slice', () => {
    const one = fitLaw(
      observations.filter(({ slice }) => slice === 's2'),
      { form: 'performance-law' },
    );
    expect(Object.keys(one.coefficients)).toEqual(['a', 'w1', "a'", 'w2', 'c']);
  });
});
