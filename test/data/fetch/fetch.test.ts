import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDataset } from '../../../src/data/dataset.js';
import { loadCatalogue, parseDescriptor } from '../../../src/data/fetch/catalogue.js';
import { download } from '../../../src/data/fetch/download.js';
import { fetchDataset } from '../../../src/data/fetch/fetch.js';
import { file, folder, userError } from '../files.js';
import { tarGz } from './archives.js';

const rows = Array.from({ length: 30_000 }, (_, i) => `${i % 60}\t${(i * 7) % 41}\t3\t${1e9 + i}`).join('\n');
const archive = Buffer.from(zipSync({ 'toy/u.data': strToU8(rows), 'toy/README': strToU8('hello') }));
const md5 = (bytes: Uint8Array | string) => createHash('md5').update(bytes).digest('hex');

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answer: Answer;
let asked: { range: string | undefined; ifRange: string | undefined }[] = [];
let base = '';
const server = createServer((request, response) => {
  asked.push({ range: request.headers.range, ifRange: request.headers['if-range'] as string | undefined });
  answer(request, response);
});

/** Serves `bytes` with ranges; the first `cuts` answers break off after a third. */
function serve(
  bytes: Buffer,
  { cuts = 0, etag = '"one"' as string | undefined, ranges = true } = {},
): Answer {
  let left = cuts;
  return (request, response) => {
    const match = ranges ? /^bytes=(\d+)-$/.exec(request.headers.range ?? '') : null;
    const sameEdition = request.headers['if-range'] === undefined || request.headers['if-range'] === etag;
    const from = match && sameEdition ? Number(match[1]) : 0;
    if (from >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const headers: Record<string, string | number> = { 'content-length': bytes.length - from };
    if (etag) headers['etag'] = etag;
    if (match && sameEdition) headers['content-range'] = `bytes ${from}-${bytes.length - 1}/${bytes.length}`;
    response.writeHead(match && sameEdition ? 206 : 200, headers);
    if (left-- > 0) {
      response.write(bytes.subarray(from, from + Math.floor(bytes.length / 3)));
      setTimeout(() => response.destroy(), 150);
      return;
    }
    response.end(bytes.subarray(from));
  };
}

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  asked = [];
});

const quick = { pause: 1, idle: 2000 };
let number = 0;
const target = () => join(folder, `download-${number++}`, 'file.zip');

describe('download', () => {
  it('goes on where the connection broke', async () => {
    answer = serve(archive, { cuts: 2 });
    const path = target();
    await download(`${base}/file.zip`, path, { md5: md5(archive), ...quick });
    expect(readFileSync(path).equals(archive)).toBe(true);
    expect(asked).toHaveLength(3);
    expect(asked[0]!.range).toBeUndefined();
    expect(asked[1]!.range).toMatch(/^bytes=[1-9]\d*-$/);
    expect(asked[1]!.ifRange).toBe('"one"');
    expect(readdirSync(join(path, '..'))).toEqual(['file.zip']);
  });

  it('goes on in a later call', async () => {
    const path = target();
    answer = serve(archive, { cuts: 1 });
    const error = await userError(
      download(`${base}/file.zip`, path, { md5: md5(archive), attempts: 1, ...quick }),
    );
    expect(error.message).toMatch(/stopped after \d+ bytes/);
    expect(error.remedy).toMatch(/--from-file/);
    expect(existsSync(path)).toBe(false);
    await download(`${base}/file.zip`, path, { md5: md5(archive), ...quick });
    expect(asked[1]!.range).toBeDefined();
    expect(readFileSync(path).equals(archive)).toBe(true);
  });

  it('starts anew where the file has changed, or the server knows no ranges', async () => {
    for (const second of [serve(archive, { etag: '"two"' }), serve(archive, { ranges: false })]) {
      const path = target();
      answer = serve(Buffer.alloc(archive.length, 7), { cuts: 1 });
      await userError(download(`${base}/file.zip`, path, { md5: md5(archive), attempts: 1, ...quick }));
      answer = second;
      await download(`${base}/file.zip`, path, { md5: md5(archive), ...quick });
      expect(readFileSync(path).equals(archive)).toBe(true);
    }
  });

  it('takes a part that is already whole', async () => {
    const path = target();
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(`${path}.part`, archive);
    answer = serve(archive);
    await download(`${base}/file.zip`, path, { md5: md5(archive), ...quick });
    expect(readFileSync(path).equals(archive)).toBe(true);
  });

  it('refuses a wrong checksum and leaves nothing', async () => {
    const path = target();
    answer = serve(archive);
    const error = await userError(download(`${base}/file.zip`, path, { md5: '0'.repeat(32), ...quick }));
    expect(error.message).toMatch(/its md5 is [0-9a-f]{32}, expected is 0{32}/);
    expect(readdirSync(join(path, '..'))).toEqual([]);
  });

  it('says what the server says', async () => {
    answer = (_, response) => response.writeHead(404).end();
    expect((await userError(download(`${base}/x`, target(), quick))).message).toMatch(/answers 404/);
    answer = (_, response) => response.writeHead(503).end();
    expect((await userError(download(`${base}/x`, target(), quick))).message).toMatch(/answers 503/);
    answer = (_, response) => response.writeHead(200).write('a');
    const silent = await userError(download(`${base}/x`, target(), { pause: 1, idle: 50, attempts: 1 }));
    expect(silent.message).toMatch(/silent|abort/i);
  });

  it('goes nowhere that a descriptor may not point', async () => {
    for (const url of [
      'file:///etc/passwd',
      'http://example.org/x.zip',
      'ftp://example.org/x',
      'nonsense',
      'https://u:p@example.org/',
    ])
      expect((await userError(download(url, target(), quick))).message).toMatch(/not an https url/);
    for (const location of ['file:///etc/passwd', 'http://example.org/x', '//example.org/x']) {
      answer = (_, response) => response.writeHead(302, { location }).end();
      expect((await userError(download(`${base}/x`, target(), quick))).message).toMatch(/redirects to/);
    }
    answer = (request, response) => response.writeHead(302, { location: `${request.url}x` }).end();
    expect((await userError(download(`${base}/x`, target(), quick))).message).toMatch(/circle/);
  });
});

describe('fetchDataset', () => {
  const datasets = join(folder, 'fetched');
  const describeSet = (name: string, more: string) => {
    mkdirSync(datasets, { recursive: true });
    writeFileSync(
      join(datasets, `${name}.yaml`),
      `name: ${name}\ntitle: Toy\nterms: none\nurl: ${base}/${name}.zip\n${more}\n`,
    );
  };

  it('downloads, checks, unpacks, reads and stores; the second time from what is there', async () => {
    describeSet(
      'toy',
      `archive: zip\nmd5: ${md5(archive)}\nmember: toy/u.data\nexpected: { users: 60, items: 41, interactions: 30000 }`,
    );
    answer = serve(archive, { cuts: 1 });
    const notes: string[] = [];
    const info = await fetchDataset('toy', { datasets, onNote: (note) => notes.push(note) });
    expect(info).toMatchObject({ name: 'toy', users: 60, items: 41, interactions: 30_000, fetched: true });
    expect(notes.join('\n')).not.toMatch(/preparation differs/);
    expect((await openDataset('toy', { datasets })).hash).toBe(info.hash);
    expect(readdirSync(join(datasets, 'toy')).sort()).toEqual([
      'dataset.json',
      'interactions.bin',
      'toy.zip',
    ]);
    asked = [];
    expect((await fetchDataset('toy', { datasets, read: { kCore: 0 } })).hash).toBe(info.hash);
    expect(asked).toEqual([]);
  });

  it('takes the archive, the table or its folder from disk', async () => {
    describeSet('own', `archive: zip\nmd5: ${md5(archive)}\nmember: toy/u.data\nmemberMd5: ${md5(rows)}`);
    const hashes = new Set<string>();
    const unpacked = join(folder, 'unpacked');
    mkdirSync(unpacked, { recursive: true });
    writeFileSync(join(unpacked, 'u.data'), rows);
    for (const fromFile of [file('own.zip', archive), join(unpacked, 'u.data'), unpacked])
      hashes.add((await fetchDataset('own', { datasets, fromFile })).hash);
    expect(hashes.size).toBe(1);
    expect(asked).toEqual([]);

    const other = file('other.data', `${rows}\n1\t2\t3\t1000000004`);
    expect((await userError(fetchDataset('own', { datasets, fromFile: other }))).message).toMatch(
      /its md5 is/,
    );
    expect((await fetchDataset('own', { datasets, fromFile: other, skipChecksum: true })).interactions).toBe(
      30_001,
    );
    mkdirSync(join(folder, 'void'), { recursive: true });
    expect(
      (await userError(fetchDataset('own', { datasets, fromFile: join(folder, 'void') }))).message,
    ).toMatch(/holds neither u.data nor own.zip/);
    expect(
      (await userError(fetchDataset('own', { datasets, fromFile: join(folder, 'no') }))).message,
    ).toMatch(/no such file/);
  });

  it('tells of other counts than published, and of a missing checksum', async () => {
    const tar = tarGz([{ name: 'x/u.data', data: rows }]);
    describeSet(
      'differs',
      'archive: tar.gz\nmember: x/u.data\nexpected: { users: 1, items: 2, interactions: 3 }',
    );
    answer = serve(tar);
    const notes: string[] = [];
    await fetchDataset('differs', { datasets, onNote: (note) => notes.push(note) });
    expect(notes.join('\n')).toMatch(/no checksum/);
    expect(notes.join('\n')).toMatch(/found: 60, 41, 30000. The data or its preparation differs/);
  });

  it('an evil archive gets no further than an error', async () => {
    const evil = Buffer.from(zipSync({ '../../evil': strToU8('x'), 'toy/u.data': strToU8(rows) }));
    describeSet('evil', `archive: zip\nmd5: ${md5(evil)}\nmember: toy/u.data`);
    answer = serve(evil);
    expect((await userError(fetchDataset('evil', { datasets }))).message).toMatch(/unsafe path/);
    expect(existsSync(join(datasets, 'evil', 'interactions.bin'))).toBe(false);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  it('knows what it does not know', async () => {
    expect((await userError(fetchDataset('ml-1n', { datasets }))).remedy).toMatch(/Did you mean ml-1m/);
    expect((await userError(fetchDataset('../toy', { datasets }))).message).toMatch(/no data set/);
  });
});

describe('descriptors', () => {
  const good = `name: x\ntitle: X\nterms: t\nurl: https://example.org/x.zip\narchive: zip\nmember: a/b.csv\n`;

  it('all that ship are valid, checked by a checksum or said to have none', async () => {
    const catalogue = await loadCatalogue(join(folder, 'nothing'));
    expect([...catalogue.keys()]).toEqual(
      expect.arrayContaining(['ml-100k', 'ml-1m', 'ml-20m', 'ml-25m', 'ml-32m']),
    );
    for (const { name, md5: sum, url } of catalogue.values())
      if (name.startsWith('ml-'))
        expect([name, sum?.length, url.startsWith('https://')]).toEqual([name, 32, true]);
  });

  it.each([
    ['url: file:///etc/passwd', /https url/, ':4:6'],
    ['url: http://example.org/x.zip', /https url/, ':4:6'],
    ['member: ../../etc/passwd', /without/, ':6:9'],
    ['member: /etc/passwd', /without/, ':6:9'],
    ['name: ../x', /name: letters/, ':1:7'],
    ['md5: abc', /md5/, ''],
    ['colour: red', /colour/, ':7:9'],
    ['read: { usr: a }', /usr/, ''],
    ['bytes: many', /bytes/, ''],
    ['title: [', /./, ':'],
  ])('%s is refused with its place', async (line, message, where) => {
    const key = line.split(':')[0]!;
    const text = good.includes(`${key}:`)
      ? good.replace(new RegExp(`^${key}:.*$`, 'm'), line)
      : `${good}${line}\n`;
    const error = await userError(parseDescriptor(text, 'x.yaml'));
    expect(error.message).toMatch(message);
    expect(error.place).toContain(`x.yaml${where}`);
  });

  it('an archive needs a member; the file is called after the name', async () => {
    expect((await userError(parseDescriptor(good.replace(/member.*/, ''), 'x.yaml'))).message).toMatch(
      /member/,
    );
    const place = join(folder, 'wrong-name');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'y.yaml'), good);
    expect((await userError(loadCatalogue(place))).message).toMatch(/the file is not/);
  });
});
