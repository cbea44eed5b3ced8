/** Sampled negatives: exact chances, an unbiased sum, and trainings that resume and repeat. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crossEntropyReference } from '../../../src/kernels/cross-entropy/reference.js';
import { sampledCrossEntropyReference } from '../../../src/kernels/sampled-cross-entropy/reference.js';
import { resolveTrial } from '../../../src/train/check.js';
import { createSampler, negativesOf } from '../../../src/train/step/negatives.js';
import { trainModel } from '../../../src/train/trainer.js';
import { createRandom } from '../../../src/util/random.js';
import { ringWalks, smallConfig } from '../small.js';

/** Zipf's weights of n items in a random order. */
function zipf(n: number, exponent: number, seed: number): Float64Array {
  return createRandom(seed, 'zipf').shuffle(Float64Array.from({ length: n }, (_, i) => (i + 1) ** -exponent));
}

describe('a sampler', () => {
  it('draws k distinct items; chances sum to k, follow the weights and stop at 1', () => {
    const exponents = fc.constantFrom(0, 0.5, 1, 2);
    const sizes = fc.integer({ min: 1, max: 200 });
    fc.assert(
      fc.property(sizes, sizes, exponents, fc.integer(), (n, k, exponent, seed) => {
        const weights = zipf(n, exponent, seed);
        const { chances, draw } = createSampler(weights, k);
        const size = Math.min(k, n);
        expect(chances.reduce((a, b) => a + b, 0)).toBeCloseTo(size, 8);
        expect(chances.every((chance) => chance > 0 && chance <= 1)).toBe(true);
        const ratios = [...chances].flatMap((chance, i) => (chance < 1 ? [chance / weights[i]!] : []));
        for (const ratio of ratios) expect(ratio / ratios[0]!).toBeCloseTo(1, 8);
        const { items, logExpected } = draw(createRandom(seed, 'draw'));
        expect(items.length).toBe(size);
        expect(new Set(items).size).toBe(size);
        items.forEach((item, j) => {
          expect(Math.exp(logExpected[j]!)).toBeCloseTo(chances[item]!, 5);
        });
        if (k >= n) expect(logExpected.every((value) => value === 0)).toBe(true);
      }),
    );
  });

  it('holds each item as often as its chance says', () => {
    const { chances, draw } = createSampler(zipf(40, 1, 3), 12);
    const random = createRandom('frequencies');
    const seen = new Float64Array(40);
    const draws = 20_000;
    for (let i = 0; i < draws; i++) for (const item of draw(random).items) seen[item]!++;
    seen.forEach((count, item) => {
      const chance = chances[item]!;
      // Five standard errors of a share.
      expect(Math.abs(count / draws - chance)).toBeLessThan(
        5 * Math.sqrt((chance * (1 - chance)) / draws) + 1e-12,
      );
    });
  });

  it.each(['uniform', 'popularity'] as const)(
    '%s: the estimated sum is unbiased, and the mean loss approaches the full one as the sample grows',
    (proposal) => {
      const random = createRandom('expectation', proposal);
      const [width, numItems, target] = [6, 60, 7];
      const hidden = Float64Array.from({ length: width }, () => 0.6 * random.normal());
      const table = Float64Array.from({ length: numItems * width }, () => random.normal());
      const targets = [target];
      const full = crossEntropyReference(width, hidden, table, targets);
      const weights = proposal === 'uniform' ? new Float64Array(numItems).fill(1) : zipf(numItems, 1, 5);
      const gaps = [3, 12, 40].map((k) => {
        const { draw } = createSampler(weights, k);
        const losses = Array.from({ length: 4000 }, () => {
          const { items, logExpected } = draw(random);
          return sampledCrossEntropyReference(width, hidden, table, targets, items, logExpected);
        });
        const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
        // e^loss is the estimated sum over e^own: its mean is that of all items.
        const sums = losses.map((loss) => Math.exp(loss - full));
        const error = Math.sqrt(mean(sums.map((sum) => (sum - mean(sums)) ** 2)) / sums.length);
        expect(Math.abs(mean(sums) - 1)).toBeLessThan(4 * error);
        return full - mean(losses);
      });
      // By Jensen's inequality the loss itself is too small, the less so the larger the sample.
      expect(gaps[0]).toBeGreaterThan(2 * gaps[1]!);
      expect(gaps[1]).toBeGreaterThan(2 * gaps[2]!);
      expect(Math.abs(gaps[2]!)).toBeLessThan(0.05);
    },
  );

  it('popularity counts the training histories, and leaves no item out of reach', () => {
    const data = ringWalks(30, 12);
    const sequences = { ...data, users: Int32Array.from({ length: 30 }, (_, u) => u) };
    const config = smallConfig(data, { negatives: 4, proposal: 'popularity' });
    const draw = negativesOf(config, sequences, data.numItems)!;
    const seen = new Float64Array(data.numItems + 1);
    for (let step = 0; step < 3000; step++) for (const item of draw(step).items) seen[item]!++;
    expect(Math.min(...seen)).toBeGreaterThan(0);
    expect(seen[0]).toBeLessThan(Math.min(...seen.slice(1))); // the padding row occurs nowhere
    expect([...draw(5).items]).toEqual([...draw(5).items]);
    expect([...draw(5).items]).not.toEqual([...draw(6).items]);
  });
});

describe('training with sampled negatives', () => {
  it('learns; with all items as negatives it follows the full loss', async () => {
    const data = ringWalks();
    const full = await trainModel(smallConfig(data, { epochs: 12 }), data);
    const sampled = await trainModel(smallConfig(data, { epochs: 12, negatives: 6 }), data);
    expect(sampled.test.unmasked['hr@1']).toBeGreaterThan(0.4);
    expect(sampled.curve[0]!.loss).not.toBeCloseTo(full.curve[0]!.loss, 3);
    expect(sampled.flops.perToken).toBeLessThan(full.flops.perToken);
    for (const proposal of ['uniform', 'popularity'] as const) {
      const all = await trainModel(smallConfig(data, { epochs: 1, negatives: 500, proposal }), data);
      expect(all.curve[0]!.loss).toBeCloseTo(full.curve[0]!.loss, 4);
      expect(all.flops.perToken).toBe(full.flops.perToken);
    }
  });

  it('and prefixes: each meaning has one name', () => {
    const data = ringWalks();
    const prefixes = (model: 'mamba4rec' | 'tim4rec', training: Parameters<typeof smallConfig>[1]) => {
      const config = smallConfig(data, training);
      return resolveTrial({ ...config, model: { ...config.model, name: model, headDim: 4 } }).training
        .prefixes;
    };
    expect(prefixes('mamba4rec', { loss: 'last' })).toBe('every');
    expect(prefixes('tim4rec', { loss: 'last' })).toBe(16);
    expect(prefixes('tim4rec', { loss: 'last', prefixes: 1 })).toBe('random');
    expect(prefixes('tim4rec', { loss: 'last', prefixes: 'every' })).toBe('every');
    expect(prefixes('tim4rec', { loss: 'all', prefixes: 4 })).toBe(undefined);
    const resolved = resolveTrial(smallConfig(data, { loss: 'last', negatives: 3 }));
    expect(resolveTrial(resolved)).toEqual(resolved);
  });

  it('0 negatives are all items, under one name', () => {
    const data = ringWalks();
    const plain = smallConfig(data);
    expect(resolveTrial(smallConfig(data, { negatives: 0, proposal: 'uniform' }))).toEqual(plain);
    expect(resolveTrial(smallConfig(data, { negatives: 9 })).training).toMatchObject({
      negatives: 9,
      proposal: 'popularity',
    });
  });
});
