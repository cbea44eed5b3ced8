/** The chooser: deterministic, within what it may spend, no run twice, and right where the truth is known. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseRound, type PoolRun, type RoundDecision } from '../../../src/law/goal/choose-round.js';
import { createRandom } from '../../../src/util/random.js';

interface World {
  layers: number[];
  dims: number[];
  slices: number[];
  seeds: number;
}

function poolOf({ layers, dims, slices, seeds }: World): PoolRun[] {
  return slices.flatMap((tokens) =>
    layers.flatMap((h) =>
      dims.flatMap((d) =>
        Array.from({ length: seeds }, (_, seed) => ({
          id: `${tokens}/${h}/${d}/${seed}`,
          seed,
          layers: h,
          dim: d,
          slice: `s${tokens}`,
          tokens,
          cost: tokens * h * d * d,
        })),
      ),
    ),
  );
}

/** A metric with an optimum inside: dim 64, layers 4. */
const truth = ({ layers, dim, tokens = 1 }: PoolRun) =>
  0.2 - 0.03 * Math.log(dim / 64) ** 2 - 0.01 * Math.log(layers / 4) ** 2 + 0.02 * Math.log10(tokens / 1e6);

/** Plays a goal to its end. */
function play(pool: PoolRun[], tell: (run: PoolRun) => number | null, round: number, tolerance = 0.004) {
  const largest = Math.max(...pool.map(({ tokens }) => tokens!));
  const options = pool.filter(({ tokens, seed }) => tokens === largest && seed === 0);
  const results = new Map<string, number | null>();
  const decisions: RoundDecision[] = [];
  for (;;) {
    const decision = chooseRound({
      pool,
      results,
      options,
      direction: 'maximize',
      tolerance,
      confidence: 0.9,
      round,
      wasSure: decisions.at(-1)?.sure ?? false,
    });
    decisions.push(decision);
    if (decision.stop) return { decisions, results };
    for (const { id } of decision.runs) {
      expect(results.has(id)).toBe(false);
      results.set(id, tell(pool.find((run) => run.id === id)!));
    }
  }
}

const GRID = { layers: [1, 2, 4, 8, 16], dims: [16, 32, 64, 128, 256], slices: [1e5, 1e6], seeds: 2 };

describe('the runs of a goal', () => {
  it('find a known optimum for a small part of the grid, and say that it is known', () => {
    const pool = poolOf(GRID);
    const noise = createRandom('goal test');
    const { decisions } = play(pool, (run) => truth(run) + 0.0005 * noise.normal(), 2);
    const { named, known, stop } = decisions.at(-1)!;
    expect(stop).toBe('known');
    const target = { id: '', seed: 0, cost: 0, slice: '', tokens: 1e6, layers: 4, dim: 64 };
    const value = truth({ ...target, layers: named!.layers, dim: named!.dim });
    expect(truth(target) - value).toBeLessThan(0.006);
    expect(known.spent).toBeLessThan(0.25);
  });

  it('begin with cheap ones that are apart, of the smallest seed', () => {
    const [first] = play(poolOf(GRID), truth, 2).decisions;
    const { runs, named } = first!;
    expect(named).toBeNull();
    expect(runs).toHaveLength(6);
    expect(new Set(runs.map(({ id }) => id)).size).toBe(6);
    expect(runs.every(({ id, purpose }) => id.endsWith('/0') && purpose === 'start')).toBe(true);
    expect(runs.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThan(0.02);
  });

  it('begin with several widths and depths in a small grid too, whose cheapest are all of one', () => {
    const pool = poolOf({ layers: [4, 8, 12, 16, 24, 32], dims: [25, 50, 75, 100], slices: [1e6], seeds: 1 });
    const { runs } = play(pool, truth, 2).decisions[0]!;
    const chosen = runs.map(({ id }) => pool.find((run) => run.id === id)!);
    expect(new Set(chosen.map(({ dim }) => dim)).size).toBeGreaterThan(2);
    expect(new Set(chosen.map(({ layers }) => layers)).size).toBeGreaterThan(2);
    expect(runs.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThan(0.15);
  });

  it('are the same for the same results, in whatever order they came', () => {
    const pool = poolOf(GRID);
    const { results } = play(pool, truth, 3);
    const options = pool.filter(({ tokens, seed }) => tokens === 1e6 && seed === 0);
    const ask = (told: [string, number | null][]) =>
      chooseRound({
        pool,
        results: new Map(told),
        options,
        direction: 'maximize',
        tolerance: 0.0001,
        confidence: 0.99,
        round: 3,
        wasSure: false,
      });
    const told = [...results].slice(0, 8);
    expect(ask([...told].reverse())).toEqual(ask(told));
  });

  it('ask for further seeds where noise is what is left, and end', () => {
    const pool = poolOf({ layers: [2, 4], dims: [32, 64], slices: [1e6], seeds: 4 });
    const noise = createRandom('noisy');
    const { decisions } = play(pool, () => 0.2 * Math.exp(0.1 * noise.normal()), 2, 0.0005);
    expect(decisions.some(({ runs }) => runs.some(({ purpose }) => purpose === 'repeat'))).toBe(true);
    expect(['all made', 'no help', 'known']).toContain(decisions.at(-1)!.stop);
  });

  it('go on past failures, and end where all fail', () => {
    const pool = poolOf({ layers: [1, 2, 4], dims: [16, 32, 64], slices: [1e6], seeds: 1 });
    const { decisions } = play(pool, () => null, 2);
    expect(decisions.at(-1)).toMatchObject({ stop: 'all made', named: null, known: { runs: 0, failed: 9 } });
    const half = play(pool, (run) => (run.dim === 64 ? null : truth(run)), 2);
    expect(half.decisions.at(-1)!.stop).not.toBeNull();
  });

  it('stop where nothing fits what is left of the budget', () => {
    const pool = poolOf(GRID);
    const told = new Map(
      play(pool, truth, 2).decisions[0]!.runs.map(({ id }) => [
        id,
        truth(pool.find((run) => run.id === id)!),
      ]),
    );
    const question = {
      pool,
      results: told,
      options: pool.filter(({ tokens, seed }) => tokens === 1e6 && seed === 0),
      direction: 'maximize' as const,
      tolerance: 0.0001,
      confidence: 0.99,
      round: 2,
      wasSure: false,
    };
    expect(chooseRound({ ...question, fits: () => false })).toMatchObject({ stop: 'budget', runs: [] });
    const limit = 3e9;
    const { runs } = chooseRound({
      ...question,
      round: 5,
      fits: (run, others) => [...others, run].reduce((sum, { cost }) => sum + cost, 0) <= limit,
    });
    const costs = runs.map(({ id }) => pool.find((run) => run.id === id)!.cost);
    expect(costs.length).toBeGreaterThan(0);
    expect(costs.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(limit);
  });

  it('of any small grid come to an end, no run twice, and name a configuration that may be named', () => {
    const levels = (values: number[]) => fc.subarray(values, { minLength: 1, maxLength: 3 });
    const world = fc.record({
      layers: levels([1, 2, 4, 8]),
      dims: levels([8, 16, 64, 200]),
      slices: levels([1e4, 1e5, 3e6]),
      seeds: fc.integer({ min: 1, max: 2 }),
    });
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 4 }), fc.nat(), (given, round, seed) => {
        const pool = poolOf(given);
        const random = createRandom('any', seed);
        const draw = () => (random.uniform() < 0.1 ? null : random.uniform() < 0.1 ? 0 : random.uniform());
        const { decisions, results } = play(pool, draw, round);
        const { named, known } = decisions.at(-1)!;
        expect(known.runs + known.failed).toBe(results.size);
        if (named) {
          expect(given.layers).toContain(named.layers);
          expect(given.dims).toContain(named.dim);
          expect(named.within).toBeGreaterThanOrEqual(named.best);
          expect(Number.isFinite(named.value)).toBe(true);
        } else expect(known.runs).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});
