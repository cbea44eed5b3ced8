import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openDataset } from '../../src/data/dataset.js';
import { readCache, writeCache } from '../../src/data/import/cache.js';
import { importFile } from '../../src/data/import/import.js';
import { cachePath, checkDatasetName, importedNames, storeDataset } from '../../src/data/import/stored.js';
import { generateSynthetic } from '../../src/data/synthetic.js';
import { UserError } from '../../src/util/errors.js';
import { mountSmallDisk } from '../sweep/small-disk.js';
import { file, folder, userError } from './files.js';

const data = generateSynthetic({ users: 20, items: 12, clusters: 3, meanLength: 8 });
const datasets = join(folder, 'datasets');
const disk = mountSmallDisk(200);

describe('the cache', () => {
  const path = join(folder, 'one.bin');

  it('gives back what was written', () => {
    writeCache(path, data);
    expect(readCache(path, '')).toEqual(data);
    const odd = { ...data, timestamps: null, userIds: data.userIds.map((id) => `é${id}`) };
    writeCache(path, odd);
    expect(readCache(path, '')).toEqual(odd);
  });

  it('notices every truncation and every changed byte', () => {
    writeCache(path, data);
    const whole = readFileSync(path);
    const bad = join(folder, 'bad.bin');
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        (at, change) => {
          writeFileSync(bad, whole.subarray(0, at));
          expect(() => readCache(bad, 'Mend it.')).toThrow(UserError);
          const changed = Buffer.from(whole);
          changed[at]! ^= change;
          writeFileSync(bad, changed);
          expect(() => readCache(bad, 'Mend it.')).toThrow(UserError);
        },
      ),
      { numRuns: 100 },
    );
    writeFileSync(bad, Buffer.concat([whole, Buffer.from([0])]));
    expect(() => readCache(bad, 'Mend it.')).toThrow(/damaged cache/);
  });
});

describe('openDataset', () => {
  const csv = () =>
    file(
      'mine.csv',
      `user,item,time\n${Array.from({ length: 40 }, (_, i) => `${i % 5},${i % 4},${1e9 + i}`).join('\n')}\n`,
    );

  it('a synthetic data set', async () => {
    expect(await openDataset({ synthetic: { users: 20, items: 12, clusters: 3, meanLength: 8 } })).toEqual(
      data,
    );
    expect((await openDataset('synthetic', { datasets })).hash).toBe(generateSynthetic().hash);
  });

  it('a name that was imported', async () => {
    storeDataset(datasets, { interactions: { ...data, name: 'tiny' } }, 'nowhere', {}, false);
    expect(importedNames(datasets)).toEqual(['tiny']);
    expect((await openDataset('tiny', { datasets })).hash).toBe(data.hash);
  });

  it('a damaged import says how to renew it', async () => {
    storeDataset(datasets, { interactions: { ...data, name: 'hurt' } }, 'nowhere', {}, false);
    const cache = cachePath(datasets, 'hurt');
    writeFileSync(cache, readFileSync(cache).subarray(0, 500));
    const error = await userError(openDataset('hurt', { datasets }));
    expect(error.message).toMatch(/damaged cache/);
    expect(error.place).toBe(cache);
    expect(error.remedy).toMatch(/perflaw data import FILE --name hurt/);
  });

  it('a file, and the second time its cache, saying again how it was read', async () => {
    const path = csv();
    const notes: string[] = [];
    const options = { datasets, onNote: (note: string) => notes.push(note) };
    const first = await openDataset(path, options);
    expect(first.items).toHaveLength(40);
    expect(notes.join()).toMatch(/Columns: user = user/);
    const said = notes.splice(0);
    expect(await openDataset(path, options)).toEqual(first);
    expect(notes).toEqual(said);
    // Other options, another reading.
    expect(
      (await openDataset(path, { ...options, kCore: 9, evaluable: false }).catch((e) => e)).message,
    ).toMatch(/no user and item keep 9/);
  });

  it('a file that changed is read again, a damaged cache of it too', async () => {
    const path = csv();
    const own = join(folder, 'own');
    const before = await openDataset(path, { datasets: own });
    writeFileSync(path, readFileSync(path, 'utf8').replace('0,0,1000000000', '0,3,1000000000'));
    utimesSync(path, 1, 2);
    const after = await openDataset(path, { datasets: own });
    expect(after.hash).not.toBe(before.hash);
    for (const name of readdirSync(join(own, '.cache'))) writeFileSync(join(own, '.cache', name), 'PERFLAWD');
    const notes: string[] = [];
    const again = await openDataset(path, { datasets: own, onNote: (note) => notes.push(note) });
    expect(again.hash).toBe(after.hash);
    expect(notes.join()).toMatch(/damaged cache.*read again/);
  });

  it('a cache that cannot be written does not stop the work', async () => {
    const blocked = file('blocked', 'a file where a folder should be');
    const notes: string[] = [];
    const found = await openDataset(csv(), {
      datasets: join(blocked, 'x'),
      onNote: (note) => notes.push(note),
    });
    expect(found.numUsers).toBe(5);
    expect(notes.join()).toMatch(/Not cached/);
  });

  it.runIf(disk)('a full disk leaves the earlier import, or none', async () => {
    const small = { ...data, name: 'small' };
    storeDataset(disk!, { interactions: small }, 'nowhere', {}, false);
    const large = generateSynthetic({ users: 2000 });
    expect(() =>
      storeDataset(disk!, { interactions: { ...large, name: 'small' } }, 'nowhere', {}, false),
    ).toThrow(/no space left/);
    expect((await openDataset('small', { datasets: disk! })).hash).toBe(data.hash);
    expect(() =>
      storeDataset(disk!, { interactions: { ...large, name: 'other' } }, 'nowhere', {}, false),
    ).toThrow(UserError);
    expect(importedNames(disk!)).toEqual(['small']);
  });

  it('names that are not here', async () => {
    const known = await userError(openDataset('ml-1m', { datasets }));
    expect(known.remedy).toMatch(/perflaw data fetch ml-1m .*--from-file FILE/);
    const typo = await userError(openDataset('ml1m', { datasets }));
    expect(typo.remedy).toMatch(/Did you mean ml-1m/);
    const unknown = await userError(openDataset('quite-another-thing', { datasets }));
    expect(unknown.remedy).toMatch(/perflaw data import FILE --name quite-another-thing/);
    expect((await userError(openDataset('nowhere/data.csv', { datasets }))).message).toMatch(/no such file/);
    expect((await userError(openDataset('gone.csv', { datasets }))).message).toMatch(/no such file/);
    expect((await userError(openDataset(' ', { datasets }))).message).toMatch(/empty/);
  });

  it('nobody to evaluate', async () => {
    const path = file('short.csv', 'user,item\n1,2\n1,3\n2,3\n');
    const error = await userError(openDataset(path, { datasets, kCore: 0 }));
    expect(error.message).toMatch(/no user has three interactions/);
    expect((await openDataset(path, { datasets, kCore: 0, evaluable: false })).numUsers).toBe(2);
  });

  it('refuses names that are paths', () => {
    for (const name of ['../x', 'a/b', 'a\\b', '.hidden', '', 'a..b', 'x'.repeat(101)])
      expect(() => checkDatasetName(name)).toThrow(UserError);
    mkdirSync(join(folder, 'empty'), { recursive: true });
    expect(importedNames(join(folder, 'empty'))).toEqual([]);
    expect(importedNames(join(folder, 'absent'))).toEqual([]);
  });

  it('imports and opens to the same', async () => {
    const path = csv();
    const imported = await importFile(path, { name: 'twice' });
    const { interactions } = imported;
    storeDataset(datasets, imported, path, {}, false);
    expect(await openDataset('twice', { datasets })).toEqual(interactions);
  });
});
