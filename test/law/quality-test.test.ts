import { describe, expect, it } from 'vitest';
import type { SliceLevel } from '../../src/law/data-term.js';
import { testQuality } from '../../src/law/quality-test.js';
import { createRandom, type Random } from '../../src/util/random.js';

/** Draws a truth, a measure and a number of slices: 20 every day; `PERFLAW_SWEEPS=300` settles the second digit. */
const SWEEPS = Number(process.env['PERFLAW_SWEEPS'] ?? 20);

/** Levels by ln(tokens / 100k): tokens alone, in the shapes that laws have. */
const TRUTHS: Record<string, (x: number) => number> = {
  logarithm: (x) => 0.1 + 0.02 * x,
  reciprocal: (x) => 0.4 - 0.2 * Math.exp(-x),
  'power .3': (x) => 0.4 - 0.3 * Math.exp(-0.3 * x),
  'power .6': (x) => 0.4 - 0.3 * Math.exp(-0.6 * x),
  'power of a power': (x) => 0.1 * Math.exp(0.1 * x),
};
/** Measures that say nothing which tokens do not. */
const MEASURES: Record<string, (x: number, random: Random) => number> = {
  'grows as a power': (x) => Math.exp(0.2 * x),
  'shrinks as a power': (x) => Math.exp(-0.5 * x),
  'grows with the logarithm': (x) => 1 + 0.3 * x,
  'shrinks with it': (x) => 7 - 0.5 * x,
  'grows, with noise': (x, random) => Math.exp(0.2 * x + 0.1 * random.normal()),
  'is its own': (_, random) => 1 + 2 * random.uniform(),
};

function draw(
  count: number,
  level: (x: number, quality: number) => number,
  measure: (x: number, random: Random) => number,
  random: Random,
  noise: number,
): SliceLevel[] {
  return Array.from({ length: count }, (_, i): SliceLevel => {
    const x = i * (count < 6 ? 1 : 0.6);
    const apen = measure(x, random);
    return {
      slice: `s${i}`,
      tokens: 1e5 * Math.exp(x),
      quality: { apen },
      level: level(x, apen) + noise * random.normal(),
    };
  });
}

describe('whether quality adds to quantity', () => {
  it(`is said in at most 7 % of ${SWEEPS} draws a setting where tokens alone make the levels`, () => {
    for (const noise of [0.0005, 0.003])
      for (const [truth, level] of Object.entries(TRUTHS)) {
        const shares: string[] = [];
        let alarms = 0;
        let draws = 0;
        for (const count of [4, 5, 6, 8, 10]) {
          let own = 0;
          for (const [name, measure] of Object.entries(MEASURES))
            for (let i = 0; i < SWEEPS; i++) {
              const random = createRandom('alarm', truth, name, count, i);
              const test = testQuality(draw(count, level, measure, random, noise));
              if (test?.measures[0]?.adds) own++;
            }
          const tried = SWEEPS * Object.keys(MEASURES).length;
          // three standard errors of a true 5.5 %
          expect(own / tried, `${truth}, ${count} slices`).toBeLessThan(
            SWEEPS > 100 ? 0.07 : 0.055 + 3 * Math.sqrt(0.052 / tried),
          );
          shares.push(`${count}: ${((100 * own) / tried).toFixed(1)} %`);
          alarms += own;
          draws += tried;
        }
        if (SWEEPS > 100) console.log(`false alarms, ${truth}, noise ${noise}: ${shares.join(', ')}`);
        expect(alarms / draws, truth).toBeLessThan(0.07);
      }
  }, 600_000);

  it('is found where it does', () => {
    const power: Record<string, number> = {};
    for (const count of [5, 8])
      for (const noise of [0.0005, 0.002]) {
        let found = 0;
        for (let i = 0; i < SWEEPS; i++) {
          const random = createRandom('power', count, i);
          const level = (x: number, apen: number) => TRUTHS['logarithm']!(x - Math.log(apen));
          const rows = draw(count, level, MEASURES['is its own']!, random, noise);
          if (testQuality(rows)!.measures[0]!.adds) found++;
        }
        power[`${count} slices, noise ${noise}`] = found / SWEEPS;
      }
    if (SWEEPS > 100) console.log('power', power);
    expect(power['8 slices, noise 0.002']).toBeGreaterThan(0.9);
    expect(power['5 slices, noise 0.0005']).toBeGreaterThan(0.5);
  });

  it('cannot be told below five slices, and takes the number of measures into account', () => {
    const random = createRandom('several');
    const rows = draw(6, TRUTHS['logarithm']!, MEASURES['is its own']!, random, 0.001);
    expect(testQuality(rows.slice(0, 4))).toBeUndefined();
    const several = rows.map((row) => ({
      ...row,
      quality: { ...row.quality, a: 1 + random.uniform(), b: 1 + random.uniform() },
    }));
    const { measures } = testQuality(several)!;
    expect(measures).toHaveLength(3);
    expect(measures[0]!.adjusted).toBeCloseTo(Math.min(1, 3 * measures[0]!.p), 12);
    for (const { p, adjusted } of measures) expect(adjusted).toBeGreaterThanOrEqual(p);
  });

  it('says which way the level goes as a measure grows', () => {
    for (const [sign, way] of [
      [1, 'falls'],
      [-1, 'rises'],
    ] as const) {
      const level = (x: number, apen: number) => TRUTHS['power .3']!(x - sign * Math.log(apen));
      const rows = draw(9, level, MEASURES['is its own']!, createRandom('way', way), 0.001);
      const [apen] = testQuality(rows)!.measures;
      expect(apen).toMatchObject({ adds: true, level: way });
      expect(apen!.r2).toBeGreaterThan(0.98);
    }
  });

  it('finds nothing to add where tokens give the levels to the last digit', () => {
    const exact = draw(6, TRUTHS['logarithm']!, MEASURES['is its own']!, createRandom('exact'), 0);
    expect(testQuality(exact)!.measures[0]!.adds).toBe(false);
  });
});
