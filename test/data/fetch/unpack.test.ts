import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { unpackMember } from '../../../src/data/fetch/unpack.js';
import { file, folder, userError } from '../files.js';
import { tarGz } from './archives.js';

const table = Array.from({ length: 50_000 }, (_, i) => `${i % 77},${i % 131},${i}`).join('\n');
const target = join(folder, 'out.csv');
const zip = (entries: Record<string, string>, level: 0 | 6 = 6) =>
  zipSync(Object.fromEntries(Object.entries(entries).map(([name, text]) => [name, strToU8(text)])), {
    level,
  });
const nothingLeft = () => expect(readdirSync(folder).filter((name) => /\.part$/.test(name))).toEqual([]);

describe('unpackMember', () => {
  it.each([
    ['zip', zip({ 'a/readme': 'x', 'a/table.csv': table, 'b/table.csv': 'no' })],
    ['zip', zip({ 'a/table.csv': table }, 0)],
    [
      'tar.gz',
      tarGz([
        { name: 'a', type: '5' },
        { name: './a/x', data: 'y' },
        { name: './a/table.csv', data: table },
      ]),
    ],
  ] as ['zip' | 'tar.gz', Uint8Array][])('takes the named file alone out of a %s', async (kind, bytes) => {
    const archive = file(`good.${kind}`, bytes);
    await unpackMember(archive, kind, 'a/table.csv', target);
    expect(readFileSync(target, 'utf8')).toBe(table);
    expect(existsSync(join(folder, 'a'))).toBe(false);
    nothingLeft();
  });

  it.each(['../evil', '/etc/evil', 'a/../../evil', 'C:\\evil', '..\\evil'])(
    'refuses an archive with %s',
    async (name) => {
      for (const [kind, bytes] of [
        ['zip', zip({ [name]: 'bad', 'table.csv': table })],
        ['zip', zip({ 'table.csv': table, [name]: 'bad' })],
        [
          'tar.gz',
          tarGz([
            { name: 'table.csv', data: table },
            { name, data: 'bad' },
          ]),
        ],
      ] as ['zip' | 'tar.gz', Uint8Array][]) {
        const out = join(folder, 'evil-out.csv');
        const error = await userError(unpackMember(file('evil', bytes), kind, 'table.csv', out));
        expect(error.message).toMatch(/unsafe path/);
        expect(existsSync(out)).toBe(false);
        nothingLeft();
      }
    },
  );

  it('knows names of any length', async () => {
    const { create } = await import('tar');
    const long = join('long-'.repeat(20), 'folder-'.repeat(20), 'table.csv');
    const from = join(folder, 'long');
    mkdirSync(dirname(join(from, long)), { recursive: true });
    writeFileSync(join(from, long), table);
    await create({ gzip: true, cwd: from, file: join(folder, 'long.tgz') }, [long]);
    await unpackMember(join(folder, 'long.tgz'), 'tar.gz', long, target);
    expect(readFileSync(target, 'utf8')).toBe(table);
  });

  it('does not take a link for the file', async () => {
    const archive = file('link.tgz', tarGz([{ name: 'table.csv', type: '2', link: '/etc/passwd' }]));
    expect(
      (await userError(unpackMember(archive, 'tar.gz', 'table.csv', join(folder, 'l')))).message,
    ).toMatch(/does not hold "table.csv"/);
  });

  it('refuses what is cut short, damaged, no archive, or too large', async () => {
    const whole = zip({ 'table.csv': table });
    const out = join(folder, 'never.csv');
    for (const bytes of [whole.subarray(0, whole.length / 2), strToU8('PK not really'), zip({ other: 'x' })])
      await userError(unpackMember(file('bad.zip', bytes), 'zip', 'table.csv', out));
    const tar = tarGz([{ name: 'table.csv', data: table }]);
    for (const bytes of [tar.subarray(0, tar.length / 2), strToU8('no gzip at all'), tarGz([])])
      await userError(unpackMember(file('bad.tgz', bytes), 'tar.gz', 'table.csv', out));
    expect(
      (await userError(unpackMember(file('big.zip', whole), 'zip', 'table.csv', out, 1000))).message,
    ).toMatch(/more than 1000 bytes/);
    expect((await userError(unpackMember(join(folder, 'none'), 'zip', 'x', out))).message).toMatch(
      /no such file/,
    );
    expect(existsSync(out)).toBe(false);
    nothingLeft();
  });
});
