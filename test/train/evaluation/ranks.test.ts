import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { metricPlace, resultAt, userValues } from '../../../src/sweep/results/rank-metrics.js';
import { gainOf, metricsOfRanks, standardErrors } from '../../../src/train/evaluation/metrics.js';
import {
  decodeRanks,
  encodeRanks,
  readRanks,
  type StoredRanks,
  type UserRanks,
} from '../../../src/train/evaluation/ranks.js';
import { trainModel } from '../../../src/train/trainer.js';
import { sha256 } from '../../../src/util/hash.js';
import { ringWalks, smallConfig } from '../small.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-ranks-'));
afterAll(() => rmSync(folder, { recursive: true }));

const part: fc.Arbitrary<UserRanks> = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 1000 }),
      masked: fc.integer({ min: 1, max: 2 ** 30 }),
      seen: fc.nat({ max: 1000 }),
      length: fc.nat({ max: 1_000_000 }),
      popularity: fc.nat({ max: 2 ** 31 - 1 }),
      loss: fc.float({ min: 0, noNaN: true }),
    }),
    { maxLength: 40 },
  )
  .map((rows) => {
    const users = Int32Array.from(rows, ({ step }) => step);
    for (let i = 1; i < users.length; i++) users[i]! += users[i - 1]!;
    return {
      users,
      masked: Int32Array.from(rows, ({ masked }) => masked),
      unmasked: Int32Array.from(rows, ({ masked, seen }) => masked + seen),
      historyLengths: Int32Array.from(rows, ({ length }) => length),
      popularity: Int32Array.from(rows, ({ popularity }) => popularity),
      losses: Float32Array.from(rows, ({ loss }) => loss),
    };
  });
const stored: fc.Arbitrary<StoredRanks> = fc.record({
  data: fc.stringMatching(/^[0-9a-f]{64}$/),
  validation: part,
  test: part,
});

describe('a file of ranks', () => {
  it('gives back what it was given, in some thirteen bytes a user', () => {
    fc.assert(
      fc.property(stored, (ranks) => {
        expect(decodeRanks(encodeRanks(ranks), 'here')).toEqual(ranks);
      }),
    );
    const users = Int32Array.from({ length: 1000 }, (_, u) => u);
    const masked = users.map((u) => 1 + ((u * 7919) % 12_000));
    const many = {
      users,
      masked,
      unmasked: masked.map((r) => r + 30),
      historyLengths: users.map(() => 90),
      popularity: users,
      losses: new Float32Array(1000),
    };
    const bytes = encodeRanks({ data: 'd', validation: many, test: many });
    expect(bytes.length).toBeLessThan(13 * 2 * 1000);
  });

  it('with any bit changed, or any end missing, is damaged and says so', () => {
    fc.assert(
      fc.property(stored, fc.nat(), fc.nat({ max: 7 }), (ranks, place, bit) => {
        const bytes = Uint8Array.from(encodeRanks(ranks));
        const cut = bytes.slice(0, place % bytes.length);
        bytes[place % bytes.length]! ^= 1 << bit;
        for (const wrong of [bytes, cut])
          expect(() => decodeRanks(wrong, 'here')).toThrow(/ranks are damaged/);
      }),
    );
  });

  it('is refused where it is another result’s, of other data, or gone', () => {
    const empty = new Int32Array(0);
    const none = {
      users: empty,
      masked: empty,
      unmasked: empty,
      historyLengths: empty,
      popularity: empty,
      losses: new Float32Array(0),
    };
    const bytes = encodeRanks({ data: 'this', validation: none, test: none });
    const path = join(folder, 'ranks.bin');
    expect(() => readRanks(path, sha256(bytes), 'this')).toThrow(/ranks of this result are gone/);
    writeFileSync(path, bytes);
    expect(readRanks(path, sha256(bytes), 'this').data).toBe('this');
    expect(() => readRanks(path, sha256('other'), 'this')).toThrow(/not the one of the result/);
    expect(() => readRanks(path, sha256(bytes), 'other')).toThrow(/of other data/);
  });
});

describe('metrics from ranks', () => {
  it('at any K equal those of a training that computed them, to the last bit', async () => {
    const data = ringWalks();
    const config = smallConfig(data, { epochs: 2 });
    const path = join(folder, 'trained.bin');
    const asked = [1, 2, 3, 5, 7, 10, 15, 19];
    const few = await trainModel(config, data, { ranksPath: path });
    const many = await trainModel({ ...config, evaluation: { ...config.evaluation, ks: asked } }, data);
    const ranks = readRanks(path, few.ranks!.sha256, data.hash);
    const { validation, test, standardErrors: errors } = resultAt(few, ranks, asked);
    expect({ validation, test, errors }).toEqual({
      validation: many.validation,
      test: many.test,
      errors: many.standardErrors,
    });
    expect(Object.keys(few.test.masked)).toHaveLength(6);
    expect(readFileSync(path).length).toBe(few.ranks!.bytes);
    // What is kept of the users besides.
    const { users, historyLengths } = ranks.test;
    expect([...users]).toEqual(Array.from({ length: data.numUsers }, (_, u) => u));
    for (const [i, u] of users.entries())
      expect(historyLengths[i]).toBe(data.offsets[u + 1]! - data.offsets[u]! - 1);
    expect([...ranks.validation.historyLengths]).toEqual([...historyLengths].map((n) => n - 1));
  });

  it('are means of what users add, and standard errors those of such means', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 50 }), (ranks) => {
        const metrics = metricsOfRanks(ranks, [1, 10]);
        const errors = standardErrors(ranks, [1, 10]);
        for (const [name, value] of Object.entries(metrics)) {
          const own = ranks.map(gainOf(name));
          const mean = own.reduce((a, b) => a + b, 0) / own.length;
          const variance = own.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (own.length - 1);
          expect(value).toBeCloseTo(mean, 12);
          expect(errors[name]).toBeCloseTo(Math.sqrt(variance / own.length), 12);
        }
      }),
    );
    expect(standardErrors([3], [10])['hr@10']).toBe(0);
  });

  it('are found by the names that observations give them', () => {
    const { evaluation } = smallConfig(ringWalks());
    expect(metricPlace('ndcg@10', { evaluation })).toEqual({
      part: 'test',
      history: 'masked',
      name: 'ndcg@10',
    });
    expect(metricPlace('validation:hr@5', { evaluation })).toMatchObject({
      part: 'validation',
      name: 'hr@5',
    });
    expect(metricPlace('unmasked:mrr@5', { evaluation })).toMatchObject({
      part: 'test',
      history: 'unmasked',
    });
    const ranks = Int32Array.from([1, 2, 9]);
    const users = {
      users: ranks,
      masked: ranks,
      unmasked: ranks,
      historyLengths: ranks,
      popularity: ranks,
      losses: Float32Array.of(1, 2, 3),
    };
    expect([...userValues(users, 'masked', 'mrr@2')]).toEqual([1, 0.5, 0]);
    expect([...userValues(users, 'masked', 'loss')]).toEqual([1, 2, 3]);
  });
});
