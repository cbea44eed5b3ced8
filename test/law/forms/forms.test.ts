import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildModel, evaluate, namedCoefficients } from '../../../src/law/fitting/design.js';
import { FORM_NAMES, formByName } from '../../../src/law/forms/forms.js';
import {
  crossedQuadraticTerm,
  logisticTerm,
  logTerm,
  performanceTerm,
  powerTerm,
  quadraticTerm,
  type Term,
} from '../../../src/law/forms/terms.js';
import type { Point } from '../../../src/law/points/points.js';

const g = (x: number, a: number, p = 2) => -1 / (p * x ** a) - a * Math.log(x);
const size = fc.double({ min: 1.5, max: 500, noNaN: true });
const column = (term: Term, x: number[], theta: number[]) => {
  const out: number[] = [];
  term.columns(x, theta, out, 0);
  return out[0]!;
};

const TERMS: [string, Term, fc.Arbitrary<number[]>][] = [
  [
    'performance',
    performanceTerm('layers', { exponent: 'a', weight: 'w1' }, 3, 2),
    fc.tuple(fc.double({ min: -2, max: 2, noNaN: true })),
  ],
  [
    'power',
    powerTerm('layers', { exponent: 'a', weight: 'A' }, 3),
    fc.tuple(fc.double({ min: 0, max: 3, noNaN: true })),
  ],
  [
    'performance, from 256 on,',
    performanceTerm('layers', { exponent: 'a', weight: 'w1' }, 3, 2, 256),
    fc.tuple(fc.double({ min: -0.5, max: 2, noNaN: true })),
  ],
  [
    'power, from 256 on,',
    powerTerm('layers', { exponent: 'a', weight: 'A' }, 3, 'maximize', 256),
    fc.tuple(fc.double({ min: 0, max: 1, noNaN: true })),
  ],
  [
    'logistic',
    logisticTerm('flops', { name: 'm', min: 0, max: 9 }, { name: 'k', min: 0.1, max: 5 }, 'span'),
    fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0.1, max: 5, noNaN: true })),
  ],
];

describe('analytic derivatives', () => {
  for (const [name, term, exponents] of TERMS)
    it(`of the ${name} term agree with central differences`, () => {
      fc.assert(
        fc.property(size, exponents, (x, theta) => {
          theta.forEach((value, k) => {
            const h = 1e-5 * Math.max(1, Math.abs(value));
            const slope =
              (column(term, [x], theta.with(k, value + h)) - column(term, [x], theta.with(k, value - h))) /
              (2 * h);
            const exact = term.derivative([x], theta, k);
            const scale = Math.max(1, Math.abs(exact), Math.abs(column(term, [x], theta)));
            expect(Math.abs(slope - exact) / scale).toBeLessThan(1e-6);
          });
        }),
      );
    });
});

describe('terms that count a variable in units of its smallest value', () => {
  const exponent = fc.double({ min: 0.05, max: 3, noNaN: true });
  const weight = fc.double({ min: -5, max: 5, noNaN: true });
  const large = fc.double({ min: 256, max: 1e7, noNaN: true });

  it('are the textbook equation with the coefficients that they report, and scale weights as they say', () => {
    fc.assert(
      fc.property(large, exponent, weight, fc.boolean(), (x, a, u, isPower) => {
        const names = { exponent: 'a', weight: 'w' };
        const term = isPower
          ? powerTerm('tokens', names, 3, 'maximize', 256)
          : performanceTerm('tokens', names, 3, 2, 256);
        const { named, constant } = term.coefficients([a], [u]);
        const { w } = Object.fromEntries(named) as { w: number };
        const inner = u * column(term, [x], [a]);
        const textbook = isPower ? -w / x ** a : w * g(x, a);
        expect(Math.abs(inner - (textbook + constant))).toBeLessThan(1e-9 * Math.max(1, Math.abs(constant)));
        expect(term.scale([a]) * w).toBeCloseTo(u, 8);
      }),
    );
  });
});

describe('the performance term', () => {
  const term = performanceTerm('dim', { exponent: "a'", weight: 'w2' }, 3, 2);

  it('is w g(x; a) with the coefficients that it reports', () => {
    fc.assert(
      fc.property(
        size,
        fc.double({ min: -2, max: 2, noNaN: true }).filter((a) => Math.abs(a) > 1e-3),
        fc.double({ min: -5, max: 5, noNaN: true }),
        (x, a, u) => {
          const { named, constant } = term.coefficients([a], [u]);
          const w = Object.fromEntries(named)['w2']!;
          const inner = u * column(term, [x], [a]);
          expect(inner).toBeCloseTo(w * g(x, a) + constant, 6);
        },
      ),
    );
  });

  it('goes over into the logarithm at a = 0', () => {
    for (const x of [1.5, 8, 300])
      for (const a of [0, 1e-12, -1e-7]) expect(column(term, [x], [a])).toBeCloseTo(-Math.log(x) / 2, 4);
  });

  it('peaks at p^(1/|a|)', () => {
    const [at] = term.peak([-0.25], [-0.1]);
    expect(at).toBeCloseTo(16, 10);
    const values = [15, 16, 17].map((x) => 0.4 * g(x, -0.25));
    expect(values[1]).toBeGreaterThan(Math.max(values[0]!, values[2]!));
  });

  it('says which way it rises where it has no maximum', () => {
    // a > 0: g falls, so a positive weight (u = a w > 0) falls and a negative one rises
    expect(term.peak([0.5], [1])).toEqual(['down']);
    expect(term.peak([0.5], [-1])).toEqual(['up']);
    expect(term.peak([-0.5], [1])).toEqual(['up']);
  });
});

describe('optima of the linear terms', () => {
  it('are the vertex of a quadratic, or none', () => {
    const term = quadraticTerm('layers', ['b1', 'b2']);
    expect(term.peak([], [2, -0.5])[0]).toBeCloseTo(Math.exp(2), 10);
    expect(term.peak([], [2, 0.5])).toEqual(['up']);
    expect(logTerm('layers', 'w').peak([], [-1])).toEqual(['down']);
  });

  it('solve both conditions of the crossed quadratic', () => {
    const beta = [0.3, -0.1, 0.5, -0.08, 0.05];
    const term = crossedQuadraticTerm(['layers', 'dim'], ['b1', 'b2', 'b3', 'b4', 'b5']);
    const [x, y] = term.peak([], beta).map((value) => Math.log(value as number)) as [number, number];
    expect(beta[0]! + 2 * beta[1]! * x + beta[4]! * y).toBeCloseTo(0, 10);
    expect(beta[2]! + 2 * beta[3]! * y + beta[4]! * x).toBeCloseTo(0, 10);
  });
});

describe('every form', () => {
  const points: Point[] = [1, 2, 4, 8].flatMap((layers) =>
    [16, 32, 64, 128].map((dim) => ({
      slice: 'all',
      x: { layers, dim, flops: layers * dim * dim * 1e6 },
      value: 0.1,
      runs: [0.1],
    })),
  );

  for (const name of FORM_NAMES)
    it(`${name} names each of its free numbers once`, () => {
      const model = buildModel(formByName(name), points);
      const theta = model.exponents.map(({ min, max }) => min + 0.4 * (max - min));
      const beta = Array.from({ length: model.linear }, (_, i) => 0.1 * (i + 1));
      const named = namedCoefficients(model, theta, beta);
      expect(named).toHaveLength(model.size);
      expect(new Set(named.map(([key]) => key)).size).toBe(model.size);
      expect(Number.isFinite(evaluate(model, theta, beta, points[5]!.x))).toBe(true);
    });

  it('is refused by a name that does not exist', () => {
    expect(() => formByName('cubic')).toThrow(/no form named "cubic"/);
  });
});
