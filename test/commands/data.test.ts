import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as data from '../../src/commands/data.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const run = (...words: string[]) => runCommand(data, 'data <action> [source]', ['data', ...words]);

function shop(): string {
  const rows = Array.from(
    { length: 400 },
    (_, i) => `c${i % 20};s${(i * 3) % 17};${i % 6};2024-03-${10 + (i % 20)}`,
  );
  const path = join(folder(), 'shop.csv');
  writeFileSync(path, `customer no;sku;stars;at\n${rows.join('\n')}\n`);
  return path;
}
const COLUMNS = ['--user', 'customer no', '--item', 'sku', '--time', 'at'];

describe('perflaw data', () => {
  it('imports, lists and describes', async () => {
    const imported = await run('import', shop(), ...COLUMNS, '--name', 'my-shop');
    expect(imported.code).toBe(0);
    expect(imported.out).toMatch(/my-shop: 20 users, 17 items, 400 interactions/);
    expect(imported.err).toMatch(/user = customer no, item = sku, time = at/);

    const listed = JSON.parse((await run('list', '--json')).out) as { name: string; here: boolean }[];
    expect(listed.find(({ name }) => name === 'my-shop')).toMatchObject({ here: true, users: 20, items: 17 });
    expect(listed.find(({ name }) => name === 'ml-1m')).toMatchObject({ here: false });
    expect((await run('list')).out).toMatch(/my-shop\s+Imported\s+yes\s+20\s+17\s+400/);

    const described = JSON.parse((await run('describe', 'my-shop', '--json')).out);
    expect(described).toMatchObject({
      users: 20,
      items: 17,
      interactions: 400,
      evaluatedUsers: 20,
      lengths: { min: 20, median: 20, mean: 20, max: 20 },
      time: { from: '2024-03-10', to: '2024-03-29', days: 19 },
    });
    expect(described.slices.map((s: { label: string; tokens: number }) => [s.label, s.tokens])).toEqual([
      ['users=0.25', 90],
      ['users=0.5', 180],
      ['users=0.75', 270],
      ['all', 360],
    ]);
    const text = await run('describe', 'my-shop', '--slice', 'users=0.5,length=5', 'all');
    expect(text.out).toMatch(/users=0\.5,length=5\s+10\s+50\s/);
    expect(text.out).toMatch(/2024-03-10 to 2024-03-29/);
  });

  it('reads part of a file, and describes it straight from disk', async () => {
    const path = shop();
    const { out } = await run(
      'import',
      path,
      ...COLUMNS,
      '--where',
      'stars>=3 and sku!=s1',
      '--k-core',
      '0',
      '--json',
    );
    const rows = readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.split(';'));
    expect(JSON.parse(out)).toMatchObject({
      name: 'shop',
      interactions: rows.filter((row) => Number(row[2]) >= 3 && row[1] !== 's1').length,
      options: { where: ['stars>=3 and sku!=s1'], kCore: 0 },
      reading: { rows: 400, conditions: [{ condition: 'stars>=3 and sku!=s1' }] },
    });
    expect((await run('describe', path, ...COLUMNS)).out).toMatch(/^shop \([0-9a-f]{10}\)\n {2}users {9}20/);
  });

  it('fetches from a file, by a descriptor in the workspace', async () => {
    const table = join(folder(), 'toy.tsv');
    writeFileSync(
      table,
      Array.from({ length: 100 }, (_, i) => `${i % 10}\t${i % 7}\t4\t${1e9 + i}`).join('\n'),
    );
    mkdirSync(join(folder(), 'datasets'), { recursive: true });
    writeFileSync(
      join(folder(), 'datasets', 'toy.yaml'),
      'name: toy\ntitle: Toy\nterms: none\nurl: https://example.org/toy.tsv\narchive: none\n',
    );
    const fetched = await run('fetch', 'toy', '--from-file', table);
    expect(fetched.out).toMatch(/toy: 10 users, 7 items, 100 interactions/);
    expect((await run('describe', 'toy')).out).toMatch(/no clock|2001-09-09/);
  });

  it('describes the embedded data', async () => {
    const { out, err } = await run('describe', 'synthetic', '--slice', 'all');
    expect(out).toMatch(/users {9}2000 \(2000 evaluated\)/);
    expect(err).toBe('');
  });

  it('answers mistakes with what to do', async () => {
    await expect(run('fetch')).rejects.toThrow(/perflaw data fetch NAME/);
    await expect(run('fetch', 'ml-9m')).rejects.toMatchObject({ remedy: expect.stringContaining('ml-1m') });
    await expect(run('import', join(folder(), 'none.csv'))).rejects.toThrow(/no such file/);
    await expect(run('import', shop(), ...COLUMNS, '--name', '../../evil')).rejects.toThrow(
      /cannot name a data set/,
    );
    await expect(run('import', shop(), ...COLUMNS, '--k-core', 'x')).rejects.toThrow(/--k-core/);
    await expect(run('describe', 'my-shop', '--slice', 'users=7')).rejects.toThrow(/share of users/);
    await expect(run('fetch', 'ml-1m', '--name', 'x')).rejects.toThrow(/--name has no meaning/);
    await expect(run('describe', 'my-shop', '--user', 'x')).rejects.toThrow(
      /user: these say how to read a file/,
    );
    await expect(run('describe', 'synthetic', '--k-core', '3')).rejects.toThrow(/kCore: these say how/);
    await expect(run('remove', 'x')).rejects.toThrow(/Invalid values/);
  });
});
