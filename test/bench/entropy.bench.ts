/**
 * How long do the measures of many histories take, and how much memory? 160,000 users with 25 million events in all;
 * PERFLAW_BENCH_USERS takes fewer.
 */
import { it } from 'vitest';
import { perUserApproximateEntropy, pooledApproximateEntropy } from '../../src/data/entropy/apen.js';
import { compressionRatio } from '../../src/data/entropy/compression.js';
import { perUserLempelZiv } from '../../src/data/entropy/lempel-ziv.js';
import { countTokens } from '../../src/data/interactions.js';
import { generateSynthetic } from '../../src/data/synthetic.js';
import { formatBytes } from '../../src/util/format.js';
import { sideBySide } from './side-by-side.js';

const USERS = Number(process.env['PERFLAW_BENCH_USERS'] ?? 160_000);

it('entropies of many histories', async () => {
  const { offsets, items } = generateSynthetic({
    users: USERS,
    items: 50_000,
    meanLength: 157,
    clusters: 100,
  });
  const users = Int32Array.from({ length: USERS }, (_, u) => u);
  const sequences = { users, offsets, items, timestamps: null };
  const contenders = [
    { name: 'ApEn, pooled', run: () => void pooledApproximateEntropy(sequences) },
    { name: 'ApEn, per user', run: () => void perUserApproximateEntropy(sequences) },
    { name: 'Lempel-Ziv, both forms', run: () => void perUserLempelZiv(sequences) },
    { name: 'DEFLATE ratio', run: () => void compressionRatio(items) },
  ];
  await sideBySide(`Measures of ${USERS} users`, countTokens(sequences), 'events', contenders, 1);
  console.log(`  peak memory of the process: ${formatBytes(process.resourceUsage().maxRSS * 1024)}`);
});
