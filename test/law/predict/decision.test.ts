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
    fc.integer({ min: 0, max: 3 }),
  ),
);

it('counts the worlds in which an option is the best, or within tolerance of it', () => {
  fc.assert(
    fc.property(worlds, ([drawn, cost, tolerance]) => {
      const { odds, chosen, least, sure } = decide(drawn, cost, tolerance, 'maximize');
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
      if (sure) expect(cost[chosen]).toBe(Math.min(...enough));
      else
        expect(odds[chosen]!.within).toBeGreaterThanOrEqual(
          Math.max(...odds.map(({ within }) => within)) - 0.02,
        );
    }),
  );
});

it('of a loss is that of its negative', () => {
  fc.assert(
    fc.property(worlds, ([drawn, cost, tolerance]) => {
      const turned = drawn.map((world) => world.map((value) => -value));
      expect(decide(turned, cost, tolerance, 'minimize')).toEqual(decide(drawn, cost, tolerance, 'maximize'));
    }),
  );
});

it('takes the cheap one only where it is surely as good', () => {
  const sure = Array.from({ length: 10 }, () => [1, 1.001]);
  expect(decide(sure, [1, 10], 0.01, 'maximize')).toMatchObject({ chosen: 0, sure: true });
  const torn = sure.map((world, i) => (i < 3 ? [0, 1] : world));
  expect(decide(torn, [1, 10], 0.01, 'maximize')).toMatchObject({ chosen: 1, sure: true });
});
