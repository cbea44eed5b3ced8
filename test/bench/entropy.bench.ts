/**
 * How long do the measures of many histories take, and how much memory? 160,000 users with 25 million events in all.
 * Run by: npx vitest bench --run --config test/vitest.config.ts test/bench/entropy.bench.ts
 */
import { bench, describe } from 'vitest';
import { perUserApproximateEntropy, pooledApproximateEntropy } from '../../src/data/entropy/apen.js';
import { compressionRatio } from '../../src/data/entropy/compression.js';
import { perUserLempelZiv } from '../../src/data/entropy/lempel-ziv.js';
import type { Sequences } from '../../src/data/interactions.js';
import { generateSynthetic } from '../../src/data/synthetic.js';

const USERS = Number(process.env['PERFLAW_BENCH_USERS'] ?? 160_000);
const once = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 };

let made: Sequences | undefined;
function sequences(): Sequences {
  if (!made) {
    const data = generateSynthetic({ users: USERS, items: 50_000, meanLength: 157, clusters: 100 });
    made = {
      users: Int32Array.from({ length: USERS }, (_, u) => u),
      offsets: data.offsets,
      items: data.items,
      timestamps: null,
    };
  }
  return made;
}

describe(`measures of ${USERS} synthetic users, 157 events each on average`, () => {
  const prepared = { ...once, setup: () => void sequences() };
  bench('ApEn pooled', () => void pooledApproximateEntropy(sequences()), prepared);
  bench('ApEn per user', () => void perUserApproximateEntropy(sequences()), prepared);
  bench('Lempel-Ziv per user, both forms', () => void perUserLempelZiv(sequences()), prepared);
  const teardown = () =>
    console.log(`peak memory of the process: ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`);
  bench('DEFLATE ratio', () => void compressionRatio(sequences().items), { ...prepared, teardown });
});
