import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  apenPhi,
  approximateEntropy,
  perUserApproximateEntropy,
  pooledApproximateEntropy,
  standardDeviation,
} from '../../../src/data/entropy/apen.js';
import { UserError } from '../../../src/util/errors.js';
import { sequencesOf } from '../sequences.js';

const repeat = <T>(values: T[], times: number): T[] => Array.from({ length: times }, () => values).flat();

/** Bits of the binary expansion of pi (its integer part first), by the spigot of integer arithmetic. */
function bitsOfPi(count: number): number[] {
  const guard = BigInt(count + 32);
  const one = 1n << guard;
  const arctan = (inverse: bigint) => {
    let term = one / inverse;
    let sum = term;
    for (let k = 3n, sign = -1n; term > 0n; k += 2n, sign = -sign) {
      term /= inverse * inverse;
      sum += (sign * term) / k;
    }
    return sum;
  };
  const pi = 4n * (4n * arctan(5n) - arctan(239n));
  return [...pi.toString(2)].slice(0, count).map(Number);
}

/** chi^2 = 2 n (ln 2 - ApEn) and its p-value Q(2^(m-1), chi^2 / 2), a finite sum for whole shape parameters. */
function nistTest(apen: number, n: number, m: number): { chiSquared: number; p: number } {
  const chiSquared = 2 * n * (Math.LN2 - apen);
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 2 ** (m - 1); k++) {
    term *= chiSquared / 2 / k;
    sum += term;
  }
  return { chiSquared, p: sum * Math.exp(-chiSquared / 2) };
}

/** The definition, window by window, O(n^2). */
function definition(series: number[], m: number, r: number, circular: boolean): number {
  const n = series.length;
  const phi = (k: number) => {
    if (k === 0) return 0;
    const count = circular ? n : n - k + 1;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      let matches = 0;
      for (let j = 0; j < count; j++) {
        let within = true;
        for (let t = 0; t < k; t++)
          if (Math.abs(series[(i + t) % n]! - series[(j + t) % n]!) > r) within = false;
        if (within) matches++;
      }
      sum += Math.log(matches / count);
    }
    return sum / count;
  };
  return phi(m) - phi(m + 1);
}

describe('approximateEntropy on published vectors', () => {
  it('NIST SP 800-22, 2.12.4', () => {
    const bits = [...'0100110101'].map(Number);
    const [, , phi3, phi4] = apenPhi(bits, 4, { circular: true });
    expect(phi3).toBeCloseTo(-1.64341772, 8);
    expect(phi4).toBeCloseTo(-1.83437197, 8);
    const apen = approximateEntropy(bits, { m: 3, circular: true });
    expect(apen).toBeCloseTo(0.19095425, 8);
    const { chiSquared, p } = nistTest(apen, 10, 3);
    expect(chiSquared).toBeCloseTo(10.043859, 5);
    expect(p).toBeCloseTo(0.261961, 6);
  });

  it('NIST SP 800-22, 2.12.8: the first 100 bits of pi', () => {
    const bits = bitsOfPi(100);
    expect(bits.slice(0, 10).join('')).toBe('1100100100');
    const apen = approximateEntropy(bits, { m: 2, circular: true });
    expect(apen).toBeCloseTo(0.66539322, 6);
    const { chiSquared, p } = nistTest(apen, 100, 2);
    expect(chiSquared).toBeCloseTo(5.550792, 5);
    expect(p).toBeCloseTo(0.235301, 6);
  });

  it.each([
    ['[85,80,89]x17, m 2, r 3', repeat([85, 80, 89], 17), 2, 3, -1.0996541e-5, 11],
    ['[1.4,-1.3,1.7,-1.2], m 2, r .5', [1.4, -1.3, 1.7, -1.2], 2, 0.5, 0.0566330122651324, 15],
    ['[0,1]x8, m 2, r .5', repeat([0, 1], 8), 2, 0.5, 0.002223871246127107, 15],
    ['0100101001111001, m 2, r .5', [...'0100101001111001'].map(Number), 2, 0.5, 0.47133806162842484, 14],
  ] as [string, number[], number, number, number, number][])('%s', (_, series, m, r, expected, digits) => {
    expect(approximateEntropy(series, { m, r })).toBeCloseTo(expected, digits);
    if (_.startsWith('0100')) {
      expect(approximateEntropy(series, { m })).toBeCloseTo(expected, digits);
      expect(approximateEntropy(series, { m, r, circular: true })).toBeCloseTo(0.48603831, 8);
    }
  });

  it('[12,13,15,16,17]x10, m 2, r .9 std', () => {
    const series = repeat([12, 13, 15, 16, 17], 10);
    const r = 0.9 * standardDeviation(series);
    expect(approximateEntropy(series, { m: 2, r })).toBeCloseTo(0.282456191, 9);
  });

  it('a sine and a ramp, m 2, r .2 std', () => {
    const sine = Array.from({ length: 3000 }, (_, t) => Math.sin((2 * Math.PI * t) / 100));
    expect(approximateEntropy(sine, { m: 2, r: 0.2 * standardDeviation(sine) })).toBeCloseTo(0.2009, 4);
    const ramp = Array.from({ length: 1000 }, (_, t) => t);
    expect(approximateEntropy(ramp, { m: 2, r: 0.2 * standardDeviation(ramp) })).toBeCloseTo(-0.001, 4);
  });
});

describe('approximateEntropy against its definition', () => {
  const series = fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 5, maxLength: 40 });
  it('for categories and for tolerances, plain and circular', () => {
    fc.assert(
      fc.property(
        series,
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(0, 1, 1.5),
        fc.boolean(),
        (s, m, r, c) => {
          expect(approximateEntropy(s, { m, r, circular: c })).toBeCloseTo(definition(s, m, r, c), 10);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('is the same whatever the symbols are called', () => {
    fc.assert(
      fc.property(series, (s) => {
        expect(approximateEntropy(s.map((v) => `item ${v * 31}`))).toBe(approximateEntropy(s));
      }),
    );
  });

  it('has no value where no window of m + 1 fits', () => {
    expect(approximateEntropy([], { m: 1 })).toBeNaN();
    expect(approximateEntropy([7], { m: 1 })).toBeNaN();
    expect(approximateEntropy([1, 2], { m: 2, r: 1 })).toBeNaN();
  });

  it('refuses what makes no sense', () => {
    expect(() => approximateEntropy(['a', 'b'], { r: 1 })).toThrow(/"a", is not a number/);
    expect(() => approximateEntropy([1, 2], { m: 1.5 })).toThrow(UserError);
    expect(() => approximateEntropy([1, 2], { r: -1 })).toThrow(UserError);
  });
});

describe('histories', () => {
  const histories = fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 15 }), {
    minLength: 1,
    maxLength: 8,
  });

  it('pooled: windows of all users together, none across two', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 3 }), (rows, m) => {
        const phi = (k: number) => {
          const windows = rows.flatMap((row) =>
            row.slice(0, Math.max(0, row.length - k + 1)).map((_, i) => row.slice(i, i + k).join()),
          );
          const counts = new Map<string, number>();
          for (const w of windows) counts.set(w, (counts.get(w) ?? 0) + 1);
          return (
            windows.reduce((sum, w) => sum + Math.log(counts.get(w)! / windows.length), 0) / windows.length
          );
        };
        const expected = phi(m) - phi(m + 1);
        const value = pooledApproximateEntropy(sequencesOf(rows), m);
        if (Number.isNaN(expected)) expect(value).toBeNaN();
        else expect(value).toBeCloseTo(expected, 10);
      }),
    );
  });

  it('per user: the mean of each history alone', () => {
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 2 }), (rows, m) => {
        const values = rows.filter((row) => row.length > m).map((row) => approximateEntropy(row, { m }));
        const { mean, users } = perUserApproximateEntropy(sequencesOf(rows), m);
        expect(users).toBe(values.length);
        if (values.length > 0) expect(mean).toBeCloseTo(values.reduce((a, b) => a + b) / values.length, 10);
      }),
    );
  });

  it('without repeats is a function of length alone', () => {
    const { mean, withoutRepeats } = perUserApproximateEntropy(sequencesOf([[4, 2, 9, 1, 7]]), 1);
    expect(mean).toBeCloseTo(-Math.log(5 / 4), 12);
    expect(withoutRepeats).toBe(1);
  });
});
