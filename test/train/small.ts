/** Small data and a small configuration that trains in a second. */
import type { Interactions } from '../../src/data/interactions.js';
import { DEFAULT_MODEL } from '../../src/model/config.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING, type TrialConfig } from '../../src/train/config.js';
import { createRandom } from '../../src/util/random.js';

/** Users walk along a ring of items, now and then jumping: the next item can be learnt. */
export function ringWalks(numUsers = 60, numItems = 20, seed = 1): Interactions {
  const random = createRandom(seed, 'ring');
  const offsets = new Int32Array(numUsers + 1);
  const items: number[] = [];
  for (let u = 0; u < numUsers; u++) {
    let at = random.int(numItems);
    const length = 5 + random.int(20);
    for (let i = 0; i < length; i++) {
      items.push(at + 1);
      at = random.uniform() < 0.1 ? random.int(numItems) : (at + 1) % numItems;
    }
    offsets[u + 1] = items.length;
  }
  return {
    name: 'ring',
    hash: `ring-${numUsers}-${numItems}-${seed}`,
    numUsers,
    numItems,
    offsets,
    items: Int32Array.from(items),
    timestamps: null,
    userIds: Array.from({ length: numUsers }, (_, u) => `u${u}`),
    itemIds: ['', ...Array.from({ length: numItems }, (_, i) => `i${i + 1}`)],
  };
}

export function smallConfig(data: Interactions, changes: Partial<TrialConfig['training']> = {}): TrialConfig {
  return {
    data: { name: data.name, hash: data.hash },
    slice: { users: 1 },
    model: { ...DEFAULT_MODEL, dim: 8, layers: 2, dState: 4, maxLength: 10, dropout: 0.1 },
    training: { ...DEFAULT_TRAINING, epochs: 4, rows: 4, learningRate: 5e-3, ...changes },
    evaluation: { ...DEFAULT_EVALUATION, ks: [1, 10] },
    seed: 7,
    backend: 'wasm',
  };
}
