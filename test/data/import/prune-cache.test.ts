import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openDataset } from '../../../src/data/dataset.js';

it('caches of files that nobody read for two months go when a new one is made; those in use stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-prune-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const lines = [
    'user,item',
    ...[1, 2, 3, 4, 5].flatMap((user) => [1, 2, 3, 4, 5].map((item) => `u${user},i${item}`)),
  ];
  const file = (name: string) => {
    writeFileSync(join(folder, name), lines.join('\n'));
    return join(folder, name);
  };
  const caches = join(folder, '.cache');
  const names = () => readdirSync(caches).sort();
  const age = (name: string) => {
    const past = new Date(Date.now() - 70 * 86_400_000);
    utimesSync(join(caches, name), past, past);
  };
  const options = { datasets: folder };
  await openDataset(file('a.csv'), options);
  const [a] = names();
  await openDataset(file('b.csv'), options);
  const b = names().find((name) => name !== a)!;
  // Both are old, but b is read again; a half-written one and a stranger's file lie beside them.
  for (const name of [a!, b]) age(name);
  writeFileSync(join(caches, '0123456789.bin.42'), 'half');
  age('0123456789.bin.42');
  writeFileSync(join(caches, 'notes.txt'), 'mine');
  age('notes.txt');
  await openDataset(join(folder, 'b.csv'), options);
  await openDataset(file('c.csv'), options);
  expect(names()).not.toContain(a);
  expect(names()).not.toContain('0123456789.bin.42');
  expect(names()).toEqual(expect.arrayContaining([b, 'notes.txt']));
  expect(names()).toHaveLength(3);
});
