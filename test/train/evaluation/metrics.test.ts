import { describe, expect, it } from 'vitest';
import { popularityBaseline } from '../../../src/train/evaluation/baseline.js';
import { metricsOfRanks, parseMetric } from '../../../src/train/evaluation/metrics.js';
import { ringWalks } from '../small.js';

describe('ranking metrics', () => {
  it('equal their definitions', () => {
    const metrics = metricsOfRanks([1, 2, 10, 11], [1, 10]);
    expect(metrics['hr@1']).toBe(0.25);
    expect(metrics['hr@10']).toBe(0.75);
    expect(metrics['ndcg@10']).toBeCloseTo((1 + 1 / Math.log2(3) + 1 / Math.log2(11)) / 4, 12);
    expect(metrics['mrr@10']).toBeCloseTo((1 + 0.5 + 0.1) / 4, 12);
  });

  it('names that are not metrics are refused', () => {
    expect(parseMetric('ndcg@20')).toBe(20);
    for (const name of ['ndcg', 'ndcg@0', 'auc@10', 'hr@1.5']) expect(() => parseMetric(name)).toThrow(name);
  });
});

describe('popularity baseline', () => {
  it('equals ranking by hand: counts of the training items, ties against it, seen items left out when masked', () => {
    // Three users; training items [1 2] [1 3] [1 2 2], validation 3, 2, 3, test 4, 4, 1.
    const data = {
      ...ringWalks(3, 4),
      offsets: Int32Array.from([0, 4, 8, 13]),
      items: Int32Array.from([1, 2, 3, 4, 1, 3, 2, 4, 1, 2, 2, 3, 1]),
    };
    const evaluation = { ks: [1, 2, 3, 4], select: 'hr@1', history: 'masked' as const };
    // Counts: item 1 three times, item 2 three times, item 3 once, item 4 never.
    const { validation, test } = popularityBaseline(data, { users: 1 }, evaluation);
    // Validation ranks: item 3 third, item 2 second (tied with 1), item 3 third; masked: 1, 1, 1.
    expect(validation.unmasked).toMatchObject({ 'hr@1': 0, 'hr@2': 1 / 3, 'hr@3': 1 });
    expect(validation.masked).toMatchObject({ 'hr@1': 1 });
    // Test ranks: item 4 last twice, item 1 second (tied with 2); masked: 1, 1, and 1 (2 and 3 are seen).
    expect(test.unmasked).toMatchObject({ 'hr@2': 1 / 3, 'hr@3': 1 / 3, 'hr@4': 1 });
    expect(test.masked).toMatchObject({ 'hr@1': 1 });
  });
});
