/**
 * Who works on a trial. Claims are numbered files, `claim-1.json`, `claim-2.json`, ...: the highest number owns the trial.
 * A claim is made by linking a complete file to the next number, which succeeds for one process only; the highest is
 * never removed, only marked as released, so that a slow process can never make a number that was already used. A dead
 * owner is proven by its process number and start on the same machine, elsewhere by a heartbeat that stands still for
 * a while on the watcher's own clock: clocks that differ or are set back do no harm.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileError, UserError } from '../../util/errors.js';
import { readRegular, writeJson } from '../../util/files.js';
import { liveness, ownIdentity, type ProcessIdentity } from './process-identity.js';

/** Seconds between heartbeats, and how long one must stand still before a foreign claim counts as dead. */
export const HEARTBEAT_SECONDS = 10;
export const STALE_SECONDS = 90;

interface ClaimFile extends ProcessIdentity {
  schema: 1;
  /** Tells this claim from every other. */
  token: string;
  since: string;
  /** Seconds of those who had it before, each to its last heartbeat; absent for the first. */
  before?: number;
  released: boolean;
}

/** Somebody's claim as others see it. */
export interface ClaimState {
  generation: number;
  /** Undefined where the file is damaged: then its heartbeat alone decides. */
  file: ClaimFile | undefined;
  token: string;
  /** When the heartbeat was last heard, by the file system's clock. */
  beat: number;
  state: 'free' | 'alive' | 'dead' | 'unknown';
}

const claimPath = (folder: string, generation: number) => join(folder, `claim-${generation}.json`);

function highest(folder: string): number {
  let found = 0;
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    throw fileError(error, folder, 'read this folder');
  }
  for (const name of names) {
    // Numbers of a length that nobody reaches are somebody's joke.
    const match = /^claim-([0-9]{1,12})\.json$/.exec(name);
    if (match) found = Math.max(found, Number(match[1]));
  }
  return found;
}

/** A store may hold other people's files: nothing of them goes to the system unchecked. */
function isClaimFile(value: ClaimFile | null): value is ClaimFile {
  return (
    value?.schema === 1 &&
    Number.isSafeInteger(value.pid) &&
    value.pid > 0 &&
    [value.token, value.started, value.machine, value.host].every((text) => typeof text === 'string') &&
    (value.before === undefined || Number.isFinite(value.before))
  );
}

/** The present claim of a trial's folder; generation 0 where nobody ever claimed it. */
export function readClaim(folder: string): ClaimState {
  const generation = highest(folder);
  if (generation === 0) return { generation, file: undefined, token: '', beat: 0, state: 'free' };
  const path = claimPath(folder, generation);
  let beat = 0;
  let file: ClaimFile | undefined;
  try {
    beat = statSync(path).mtimeMs;
    const value = JSON.parse(readRegular(path)) as ClaimFile | null;
    if (isClaimFile(value)) file = value;
  } catch {
    // Damaged, or just superseded: whoever asks next sees the newer one.
  }
  const state = file === undefined ? 'unknown' : file.released ? 'free' : liveness(file);
  return { generation, file, token: file?.token ?? `damaged-${generation}`, beat, state };
}

export interface Claim {
  /** Seconds that earlier owners were at work, each to its last heartbeat. */
  readonly before: number;
  /** Tells others that the owner lives. Cheap; to be called every HEARTBEAT_SECONDS. */
  beat(): void;
  /** False once somebody else took over: nothing may be written any more. */
  held(): boolean;
  /** Gives the trial back. */
  release(): void;
}

/** Seconds of all who had a claim so far: to the last heartbeat of each, by the clocks that wrote them. */
function secondsUpTo({ file, beat }: ClaimState): number {
  const own = file === undefined ? 0 : (beat - Date.parse(file.since)) / 1000;
  return Math.max(0, file?.before ?? 0) + Math.max(0, own || 0);
}

/**
 * Claims a trial's folder.
 * @param provenDead token of a claim whose heartbeat the caller saw standing still.
 * @param since when the work for it began, in milliseconds since 1970: now where absent.
 * @returns undefined when somebody who may be alive holds it.
 * @throws UserError when the folder cannot be written.
 */
export function tryClaim(folder: string, provenDead?: string, since = Date.now()): Claim | undefined {
  const present = readClaim(folder);
  const free = present.state === 'free' || present.state === 'dead';
  if (!free && present.token !== provenDead) return undefined;
  const generation = present.generation + 1;
  if (generation >= 1e12)
    throw new UserError('nobody claimed this trial so often', {
      place: claimPath(folder, present.generation),
      remedy: 'Remove this file.',
    });
  const before = secondsUpTo(present);
  const file: ClaimFile = {
    schema: 1,
    ...ownIdentity(),
    token: randomBytes(8).toString('hex'),
    since: new Date(since).toISOString(),
    ...(before > 0 ? { before } : {}),
    released: false,
  };
  const path = claimPath(folder, generation);
  if (!createWhole(path, `${JSON.stringify(file)}\n`)) return undefined;
  // A process that slept since it looked may have made a number below the owner's.
  if (highest(folder) !== generation) {
    rmSync(path, { force: true });
    return undefined;
  }
  for (let old = generation - 1; old > 0 && old >= generation - 4; old--)
    rmSync(claimPath(folder, old), { force: true });
  const held = () => {
    try {
      return highest(folder) === generation;
    } catch {
      return false;
    }
  };
  return {
    before,
    beat() {
      const now = new Date();
      try {
        utimesSync(path, now, now);
      } catch {
        // Removed or superseded: held() tells.
      }
    },
    held,
    release() {
      if (held()) writeJson(path, { ...file, released: true });
    },
  };
}

/** Creates a file that is complete from its first moment; false when the name is taken. */
function createWhole(path: string, text: string): boolean {
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    writeFileSync(temporary, text, { flag: 'wx', flush: true });
    try {
      linkSync(temporary, path);
      return true;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'EEXIST') return false;
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error;
      // No hard links here: exclusive creation is as safe, but a crash in between leaves an empty claim.
      writeFileSync(path, text, { flag: 'wx', flush: true });
      return true;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError(error, path, 'claim this trial');
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Watches claims of other machines: a heartbeat that stands still long enough is a dead owner's. */
export class ClaimWatch {
  readonly #seen = new Map<string, { token: string; beat: number; since: number }>();
  readonly #staleSeconds: number;

  constructor(staleSeconds = STALE_SECONDS) {
    this.#staleSeconds = staleSeconds;
  }

  /** The state of a folder's claim, by everything this process saw so far. */
  look(folder: string): { state: 'free' | 'alive' | 'dead'; token: string; host: string } {
    const claim = readClaim(folder);
    const host = claim.file?.host ?? 'unknown host';
    if (claim.state !== 'unknown') return { state: claim.state, token: claim.token, host };
    const now = performance.now();
    const before = this.#seen.get(folder);
    if (!before || before.token !== claim.token || before.beat !== claim.beat) {
      this.#seen.set(folder, { token: claim.token, beat: claim.beat, since: now });
      return { state: 'alive', token: claim.token, host };
    }
    const dead = now - before.since > this.#staleSeconds * 1000;
    return { state: dead ? 'dead' : 'alive', token: claim.token, host };
  }
}

/** Claims a folder unless somebody alive holds it, by everything that `watch` saw so far. @throws as `tryClaim`. */
export function claimUnlessAlive(folder: string, watch: ClaimWatch): Claim | undefined {
  const { state, token } = watch.look(folder);
  return state === 'alive' ? undefined : tryClaim(folder, token);
}
