import { describe, expect, it } from 'vitest';
import { pooledApproximateEntropy } from '../../src/data/entropy/apen.js';
import { measureSequences } from '../../src/data/entropy/measures.js';
import { leaveOneOut } from '../../src/data/split.js';
import { generateSynthetic, type SyntheticOptions } from '../../src/data/synthetic.js';

const small = (options: SyntheticOptions = {}) =>
  generateSynthetic({ users: 300, items: 80, meanLength: 25, clusters: 5, ...options });
const measures = (options: SyntheticOptions) => measureSequences(leaveOneOut(small(options)).train);

describe('generateSynthetic', () => {
  it('is the same for the same seed and another for another', () => {
    expect(small()).toEqual(small());
    expect(small().hash).not.toBe(small({ seed: 1 }).hash);
  });

  it('keeps the contract of Interactions', () => {
    const data = small();
    expect(data.offsets[data.numUsers]).toBe(data.items.length);
    expect(data.items.every((item) => item >= 1 && item <= data.numItems)).toBe(true);
    expect(data.itemIds).toHaveLength(data.numItems + 1);
    expect(data.userIds).toHaveLength(data.numUsers);
    for (let u = 0; u < data.numUsers; u++) {
      expect(data.offsets[u + 1]! - data.offsets[u]!).toBeGreaterThanOrEqual(5);
      for (let i = data.offsets[u]! + 1; i < data.offsets[u + 1]!; i++)
        expect(data.timestamps![i]).toBeGreaterThan(data.timestamps![i - 1]!);
    }
    expect(data.items.length / data.numUsers).toBeGreaterThan(20);
    expect(data.items.length / data.numUsers).toBeLessThan(30);
  });

  it('has less entropy with more transitions, fewer branches and more popularity', () => {
    expect(measures({ markov: 0.9 }).apenPooled).toBeLessThan(measures({ markov: 0.1 }).apenPooled - 0.2);
    expect(measures({ branching: 1 }).apenPooled).toBeLessThan(measures({ branching: 8 }).apenPooled);
    expect(measures({ popularity: 1.5 }).shannon).toBeLessThan(measures({ popularity: 0 }).shannon - 0.3);
    expect(measures({ repeats: 0.5 }).repeatShare).toBeGreaterThan(
      measures({ repeats: 0 }).repeatShare + 0.2,
    );
  });

  it('lets a model of the last item beat popularity by far', () => {
    const { train, evaluated, validation, test } = leaveOneOut(generateSynthetic());
    const numItems = 500;
    const follows = new Float64Array((numItems + 1) ** 2);
    const popularity = new Float64Array(numItems + 1);
    for (let u = 0; u < train.users.length; u++)
      for (let i = train.offsets[u]!; i < train.offsets[u + 1]!; i++) {
        popularity[train.items[i]!]!++;
        if (i > train.offsets[u]!) follows[train.items[i - 1]! * (numItems + 1) + train.items[i]!]!++;
      }
    const hit = (score: (item: number) => number, target: number) => {
      let better = 0;
      for (let item = 1; item <= numItems; item++) if (score(item) >= score(target)) better++;
      return better <= 10 ? 1 : 0;
    };
    let markov = 0;
    let popular = 0;
    evaluated.forEach((_, e) => {
      const before = validation[e]!;
      markov += hit((item) => follows[before * (numItems + 1) + item]! + popularity[item]! * 1e-6, test[e]!);
      popular += hit((item) => popularity[item]!, test[e]!);
    });
    expect(markov / evaluated.length).toBeGreaterThan(1.8 * (popular / evaluated.length));
  });

  it('names the option at fault', () => {
    expect(() => small({ markov: 2 })).toThrow(/markov must be between 0 and 1, not 2/);
    expect(() => small({ users: 0 })).toThrow(/users must be a whole number/);
    expect(() => small({ meanLength: 3 })).toThrow(/meanLength/);
    expect(() => small({ colour: 1 } as SyntheticOptions)).toThrow(/no option "colour"/);
  });

  it('has pauses long enough to tell sessions apart', () => {
    const { timestamps, offsets } = small();
    let pauses = 0;
    for (let i = 1; i < offsets[1]!; i++) if (timestamps![i]! - timestamps![i - 1]! > 20_000) pauses++;
    expect(pauses).toBeGreaterThan(0);
    expect(pooledApproximateEntropy(leaveOneOut(small()).train)).toBeGreaterThan(0);
  });
});
