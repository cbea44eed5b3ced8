import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../src/util/errors.js';
import { prepareFolder, readJson, writeAtomic, writeJson } from '../../src/util/files.js';
import { mountSmallDisk } from '../sweep/small-disk.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const disk = mountSmallDisk(300);

describe('writeAtomic', () => {
  it('writes text and bytes, makes folders, leaves nothing else', () => {
    const path = join(folder, 'a', 'b', 'c.txt');
    writeAtomic(path, 'größe');
    expect(readFileSync(path, 'utf8')).toBe('größe');
    writeAtomic(path, new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4));
    expect([...readFileSync(path)]).toEqual([1, 2, 3]);
    writeAtomic(path, '');
    expect(readFileSync(path, 'utf8')).toBe('');
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['c.txt']);
  });

  it('keeps the mode of the file and the link that leads to it', () => {
    const path = join(folder, 'real.txt');
    writeFileSync(path, 'old');
    chmodSync(path, 0o600);
    symlinkSync(path, join(folder, 'link.txt'));
    writeAtomic(join(folder, 'link.txt'), 'new');
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, 'link.txt'), 'utf8')).toBe('new');
  });

  it('says what is in the way', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => writeAtomic(join(folder, 'file', 'x'), 'y')).toThrow(UserError);
    expect(() => writeAtomic(folder, 'y')).toThrow();
    expect(() => readJson(join(folder, 'none.json'))).toThrow(/no such file/);
    writeJson(join(folder, 'v.json'), { a: [1] });
    expect(readJson(join(folder, 'v.json'))).toEqual({ a: [1] });
  });

  it('says that a folder cannot be made, where the system calls it missing for ever', () => {
    expect(() => writeAtomic('/proc/perflaw/x', 'y')).toThrow(UserError);
    expect(() => prepareFolder('/proc/perflaw')).toThrow(/cannot write to this folder/);
    expect(() => prepareFolder(join(folder, 'file'))).toThrow(/a file stands where a folder is needed/);
    prepareFolder(join(folder, 'p', 'q'));
    prepareFolder(join(folder, 'p', 'q'));
    expect(readdirSync(join(folder, 'p'))).toEqual(['q']);
  });

  it.runIf(disk)('on a disk with room for a part only: an error, and the old file as it was', () => {
    const path = join(disk!, 'big.bin');
    writeAtomic(path, 'old');
    for (const size of [250_000, 330_000, 1_000_000, 10_000_000]) {
      const data = Buffer.alloc(size, 7);
      if (size < 300_000) {
        writeAtomic(join(disk!, 'fits.bin'), data);
        expect(statSync(join(disk!, 'fits.bin')).size).toBe(size);
        rmSync(join(disk!, 'fits.bin'));
      } else {
        expect(() => writeAtomic(path, data)).toThrow(/no space left/);
        expect(readFileSync(path, 'utf8')).toBe('old');
        expect(readdirSync(disk!)).toEqual(['big.bin']);
      }
    }
    expect(existsSync(path)).toBe(true);
  });
});

it('makes one folder at a time with others who make it too', { timeout: 60_000 }, async () => {
  const program = `
    import { parentPort, workerData } from 'node:worker_threads';
    const { prepareFolder } = await import(workerData.files);
    const gate = new Int32Array(workerData.gate);
    for (let round = 0; round < 200; round++) {
      // all at once: each waits for the last
      if (Atomics.add(gate, 0, 1) + 1 === (round + 1) * 4) Atomics.notify(gate, 0);
      else for (let seen; (seen = Atomics.load(gate, 0)) < (round + 1) * 4; ) Atomics.wait(gate, 0, seen, 50);
      try {
        prepareFolder(workerData.folder + '/' + round + '/a/b/c');
      } catch (error) {
        parentPort.postMessage(String(error));
      }
    }`;
  const gate = new SharedArrayBuffer(4);
  const files = new URL('../../dist/util/files.js', import.meta.url).href;
  const errors: string[] = [];
  const workers = Array.from({ length: 4 }, () => {
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
      workerData: { gate, files, folder: join(folder, 'together') },
    });
    worker.on('message', (error: string) => errors.push(error));
    return new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  });
  await Promise.all(workers);
  expect(errors).toEqual([]);
});
