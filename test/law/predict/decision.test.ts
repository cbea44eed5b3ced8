/** What to train under what is not known: odds, regret, the cheapest that is as good. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decide, ENOUGH } from '../../../src/law/predict/decision.js';

const worlds = fc.integer({ min: 1, max: 6 }).chain((options) =>
  fc.tuple(
    fc.array(fc.array(fc.integer({ min: -5, max: 5 }), { minLength: options, maxLength: options }), {
      minLength: 1,
      maxLength: 20,
    }),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: options, maxLength: options }),
    fc.array(fc.integer({ min: -5, max: 5 }), { minLength: options, maxLength: options }),
    fc.integer({ min: 0, max: 3 }),
  ),
);

it('counts the worlds in which an option is the best, or within tolerance of it', () => {
  fc.assert(
    fc.property(worlds, ([drawn, cost, values, tolerance]) => {
      const { odds, chosen, least, sure } = decide(drawn, cost, values, tolerance, 'maximize');
      expect(odds.reduce((sum, { best }) => sum + best, 0)).toBeCloseTo(1, 9);
      odds.forEach((one, i) => {
        const losses = drawn.map((world) => Math.max(...world) - world[i]!);
        expect(one.within).toBeCloseTo(losses.filter((loss) => loss <= tolerance).length / losses.length, 9);
        expect(one.regret).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / losses.length, 9);
        expect(one.within).toBeGreaterThanOrEqual(one.best - 1e-12);
      });
      expect(odds[least]!.regret).toBe(Math.min(...odds.map(({ regret }) => regret)));
      const enough = cost.filter((_, i) => odds[i]!.within >= ENOUGH);
      expect(sure).toBe(enough.length > 0);
      const most = Math.max(...odds.map(({ within }) => within));
      const likely = cost.map((_, i) => i).filter((i) => odds[i]!.within >= most / 2);
      const highest = Math.max(...likely.map((i) => values[i]!));
      const asGood = likely.filter((i) => highest - values[i]! <= tolerance / 2).map((i) => cost[i]!);
      expect(cost[chosen]).toBe(Math.min(...(sure ? enough : asGood)));
    }),
  );
});

it('of a loss is that of its negative', () => {
  fc.assert(
    fc.property(worlds, ([drawn, cost, values, tolerance]) => {
      const turned = drawn.map((world) => world.map((value) => -value));
      const losses = values.map((value) => -value);
      expect(decide(turned, cost, losses, tolerance, 'minimize')).toEqual(
        decide(drawn, cost, values, tolerance, 'maximize'),
      );
    }),
  );
});

it('takes the cheap one only where it is surely as good', () => {
  const sure = Array.from({ length: 10 }, () => [1, 1.001]);
  expect(decide(sure, [1, 10], [1, 1.001], 0.01, 'maximize')).toMatchObject({ chosen: 0, sure: true });
  const torn = sure.map((world, i) => (i < 3 ? [0, 1] : world));
  expect(decide(torn, [1, 10], [0.7, 1], 0.01, 'maximize')).toMatchObject({ chosen: 1, sure: true });
});

it('while nothing is sure does not name what is farthest out: the cheapest that is expected to be as good', () => {
  // the third is the best in half of the worlds, and the worst in the others; the first is nearly the best in the others
  const worlds = Array.from({ length: 10 }, (_, k) => [1, 1.02 - 0.04 * (k % 3), k % 2 === 0 ? 2 : 0]);
  const decision = decide(worlds, [1, 10, 100], [1, 1.004, 1.003], 0.01, 'maximize');
  expect(decision).toMatchObject({ chosen: 0, sure: false });
  expect(decision.odds[2]!.within).toBeGreaterThanOrEqual(
    Math.max(...decision.odds.map(({ within }) => within)),
  );
});

it('while nothing is sure does not name what has hardly a chance, whatever is expected of it', () => {
  // flat and far out: expected a little higher, and nearly never within tolerance
  const worlds = Array.from({ length: 10 }, (_, k) => [
    1 + 0.02 * (k % 3),
    1.03 - 0.01 * (k % 2),
    k === 9 ? 9 : 0,
  ]);
  const decision = decide(worlds, [1, 10, 1000], [1.02, 1.025, 1.03], 0.012, 'maximize');
  expect(decision.odds[2]!.within).toBeLessThan(0.2);
  expect(decision).toMatchObject({ chosen: 0, sure: false });
});
