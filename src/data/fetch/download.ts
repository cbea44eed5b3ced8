/**
 * Downloads one file over https: resumed where it stopped, checked by its checksums, complete or absent under its name.
 * The part that has come lies beside it as `.part`.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileError, UserError } from '../../util/errors.js';
import { writeJson } from '../../util/files.js';
import { isSafeUrl } from './catalogue.js';

export interface Checksums {
  md5?: string;
  sha256?: string;
}

export interface DownloadOptions extends Checksums {
  /** Called with the bytes so far and, where the server says it, the whole size. */
  onProgress?: (bytes: number, total: number | undefined) => void;
  /** Attempts without any new byte before giving up. */
  attempts?: number;
  /** Milliseconds of silence after which a connection counts as lost. */
  idle?: number;
  /** Milliseconds before another attempt. */
  pause?: number;
}

const MOST_BYTES = 64 * 2 ** 30;

/**
 * Downloads `url` to `path`. Called again after an interruption, it goes on where it stopped.
 * @throws UserError where the url is not allowed, the server refuses, the network fails, the disk is full or a checksum is wrong.
 */
export async function download(url: string, path: string, options: DownloadOptions = {}): Promise<void> {
  if (!isSafeUrl(url)) throw new UserError('not an https url', { place: url });
  const part = `${path}.part`;
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw fileError(error, dirname(path), 'make this folder');
  }
  const attempts = options.attempts ?? 3;
  let failures = 0;
  for (;;) {
    const before = sizeOf(part);
    try {
      await transfer(url, part, options);
      break;
    } catch (error) {
      if (error instanceof UserError) throw error;
      const known = fileError(error, part, 'write this file');
      if (known instanceof UserError) throw known;
      failures = sizeOf(part) > before ? 1 : failures + 1;
      if (failures >= attempts)
        throw new UserError(`the download stopped after ${sizeOf(part)} bytes: ${reason(error)}`, {
          place: url,
          remedy:
            'Run the same command again to go on, or download the file by other means and name it with --from-file FILE.',
          cause: error,
        });
      await sleep(options.pause ?? 1000 * failures);
    }
  }
  try {
    await verifyChecksums(part, options, url);
  } catch (error) {
    rmSync(part, { force: true });
    rmSync(`${part}.json`, { force: true });
    throw error;
  }
  renameSync(part, path);
  rmSync(`${part}.json`, { force: true });
}

/**
 * Compares a file with its checksums; those that are absent are not compared.
 * @throws UserError where one differs.
 */
export async function verifyChecksums(path: string, checksums: Checksums, place = path): Promise<void> {
  for (const kind of ['sha256', 'md5'] as const) {
    const expected = checksums[kind];
    if (expected === undefined) continue;
    const hash = createHash(kind);
    try {
      await pipeline(createReadStream(path), hash);
    } catch (error) {
      throw fileError(error, path, 'read this file');
    }
    const found = hash.digest('hex');
    if (found !== expected)
      throw new UserError(`its ${kind} is ${found}, expected is ${expected}`, {
        place,
        remedy: 'The file is damaged or another edition. Get it again, or accept it with --skip-checksum.',
      });
    return;
  }
}

/** One connection: appends to `part` what is missing of it. */
async function transfer(url: string, part: string, options: DownloadOptions): Promise<void> {
  const idle = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => idle.abort(new Error('the server went silent')), options.idle ?? 60_000);
  };
  alive();
  try {
    let have = sizeOf(part);
    const validator = have > 0 ? readValidator(part, url) : undefined;
    // Without a validator only a checksum can tell whether old and new bytes belong together.
    if (have > 0 && validator === undefined && !options.md5 && !options.sha256) have = 0;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (have > 0) {
      headers['range'] = `bytes=${have}-`;
      if (validator !== undefined) headers['if-range'] = validator;
    }
    const response = await request(url, headers, idle.signal);
    if (response.status === 416) {
      await response.body?.cancel();
      if (response.headers.get('content-range') === `bytes */${have}`) return;
      rmSync(part, { force: true });
      throw new Error('the file on the server has changed');
    }
    if (response.status !== 200 && response.status !== 206) {
      await response.body?.cancel();
      const what = `the server answers ${response.status} ${response.statusText}`;
      if (response.status >= 500 || response.status === 429) throw new Error(what);
      throw new UserError(what, {
        place: url,
        remedy: 'Download the file by other means and name it with --from-file FILE.',
      });
    }
    const resumed =
      response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
    if (response.status === 206 && !resumed) throw new Error('the server sent another part than asked for');
    if (!resumed) have = 0;
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) ? have + length : undefined;
    const etag = response.headers.get('etag');
    const found =
      etag && !etag.startsWith('W/') ? etag : (response.headers.get('last-modified') ?? undefined);
    writeJson(`${part}.json`, { url, validator: found });
    // Written as it comes, so that whatever arrived before a break is there to go on from.
    const file = openSync(part, resumed ? 'a' : 'w');
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        alive();
        have += chunk.length;
        if (have > MOST_BYTES) throw new UserError('more than 64 GiB: not what was expected', { place: url });
        for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at);
        options.onProgress?.(have, total);
      }
    } finally {
      closeSync(file);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Follows up to five redirections, none of them to where a descriptor may not point, none from https down to http. */
async function request(url: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
  let at = url;
  for (let hop = 0; hop <= 5; hop++) {
    const response = await fetch(at, { headers, signal, redirect: 'manual' });
    const location = response.headers.get('location');
    if (response.status < 300 || response.status >= 400 || location === null) return response;
    await response.body?.cancel();
    let next: string;
    try {
      next = new URL(location, at).href;
    } catch {
      throw new UserError('the server redirects to no url', { place: url });
    }
    if (!isSafeUrl(next) || (at.startsWith('https:') && !next.startsWith('https:')))
      throw new UserError(`the server redirects to ${next}, which is not https`, { place: url });
    at = next;
  }
  throw new UserError('the server redirects in a circle', { place: url });
}

function readValidator(part: string, url: string): string | undefined {
  try {
    const meta = JSON.parse(readFileSync(`${part}.json`, 'utf8')) as { url?: string; validator?: string };
    return meta.url === url ? meta.validator : undefined;
  } catch {
    return undefined;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** The innermost message: fetch says only "fetch failed" itself. */
function reason(error: unknown): string {
  const cause = (error as { cause?: unknown }).cause;
  if (cause instanceof Error) return reason(cause);
  return error instanceof Error
    ? error.message || String((error as NodeJS.ErrnoException).code)
    : String(error);
}
