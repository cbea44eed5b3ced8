/** What a process that ended without a result died of, and the record of it. */
import { readFileSync } from 'node:fs';
import { formatBytes, formatDuration } from '../../util/format.js';
import { type Ending, type LaunchLimits, TrialExit } from '../launch/launcher.js';
import { readClaim, tryClaim } from '../store/claim.js';
import { environment } from '../store/environment.js';
import type { StoredTrial } from '../store/layout.js';
import { type FailedRecord, RECORD_SCHEMA } from '../store/record.js';
import type { SweepStore } from '../store/store.js';
import { logTail, logTellsOutOfMemory } from './failure.js';

/** How many processes the system has killed for lack of memory, in this container or on this machine. */
export function outOfMemoryKills(): number {
  for (const path of ['/sys/fs/cgroup/memory.events', '/proc/vmstat'])
    try {
      const match = /^oom_kill ([0-9]+)$/m.exec(readFileSync(path, 'utf8'));
      if (match) return Number(match[1]);
    } catch {
      // Not this kind of system.
    }
  return 0;
}

/** Signals that a process brings upon itself. */
const CRASHES = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** A process' log, from the byte where that process began to write: earlier attempts stand above. */
export interface LogPart {
  path: string;
  from: number;
}

/** The category and the words for an ending without a result. `oomKilled`: the system killed for memory meanwhile. */
export function verdict(
  ending: Ending,
  log: LogPart,
  limits: LaunchLimits,
  oomKilled: boolean,
): Pick<FailedRecord, 'reason' | 'message'> {
  const peak = ending.peakMemory === undefined ? '' : `, ${formatBytes(ending.peakMemory)} were in use`;
  // A batch system's own limits may be others than the sweep's.
  const own = ending.endedJob === undefined;
  if (ending.fate === 'cancelled') return { reason: 'cancelled', message: 'its job was cancelled' };
  if (ending.limit === 'memory')
    return {
      reason: 'out-of-memory',
      message: `past the memory limit of ${own ? formatBytes(limits.memory ?? 0) : 'its job'}${peak}`,
    };
  if (ending.limit === 'time')
    return {
      reason: 'time-limit',
      message: `past the time limit of ${own ? formatDuration(limits.time ?? 0) : 'its job'}`,
    };
  if (ending.fate === 'lost') return { reason: 'killed', message: 'its job vanished without a result' };
  if (logTellsOutOfMemory(log.path, log.from))
    return { reason: 'out-of-memory', message: `the process ran out of memory${peak}; see its log` };
  if (ending.signal === 'SIGKILL' && oomKilled)
    return { reason: 'out-of-memory', message: `killed by the system for lack of memory${peak}` };
  if (ending.signal !== null && CRASHES.has(ending.signal))
    return { reason: 'error', message: `crashed (${ending.signal})${peak}; see its log` };
  if (ending.signal !== null)
    return { reason: 'killed', message: `killed again and again (${ending.signal})${peak}` };
  const last = logTail(log.path, 2000, log.from).trim().split('\n').slice(-1)[0] ?? '';
  return {
    reason: 'error',
    message: `ended with code ${ending.code}${last ? `: ${last.slice(0, 300)}` : ''}`,
  };
}

/** A process killed from outside is started again from its checkpoint this often. */
const RESTARTS = 2;

/**
 * What is done about a trial whose process ended without its result: leave it open, stop the sweep since its disk is full, let it wait
 * for its turn (a rung was reached), go on with it at once (with the reason, where it is worth a word), or record the failure.
 */
export type NextStep =
  | { step: 'leave' | 'disk full' | 'take turn' | 'fail' }
  | { step: 'go on'; because?: string; restart: boolean };

/** `advanced`: a process of it came to a rung unseen. `restarts`: how often it went on after a kill. */
export function nextStep(
  { code, fate }: Ending,
  reason: FailedRecord['reason'],
  { stopping, advanced, restarts }: { stopping: boolean; advanced: boolean; restarts: number },
): NextStep {
  if (fate === 'left' || fate === 'withdrawn') return { step: 'leave' };
  if (code === TrialExit.diskFull) return { step: 'disk full' };
  if (stopping) return { step: 'leave' };
  if (code === TrialExit.rung || advanced) return { step: 'take turn' };
  if (fate === 'displaced') return { step: 'go on', because: 'its job was displaced', restart: false };
  const fromOutside = reason === 'killed' || (reason === 'error' && code === TrialExit.interrupted);
  if (fromOutside && (restarts < RESTARTS || code === TrialExit.held))
    return { step: 'go on', because: 'its process was stopped from outside', restart: true };
  return code === TrialExit.held ? { step: 'go on', restart: false } : { step: 'fail' };
}

/**
 * Records a failure for a process that could not do it itself. False when somebody else took the trial meanwhile, or it
 * has a result after all.
 * @throws UserError when the store cannot be written.
 */
export function recordFailure(
  store: SweepStore,
  trial: StoredTrial,
  failure: Pick<FailedRecord, 'reason' | 'message'>,
  startedAt: string,
  numericVersion: number,
  endedJob?: string,
): FailedRecord | undefined {
  const folder = store.folder(trial.id);
  // The claim of a job that is known to have ended is a dead owner's, on whatever machine it was.
  const { file } = readClaim(folder);
  const dead = endedJob !== undefined && file?.job?.endsWith(`:${endedJob}`) ? file.token : undefined;
  const claim = tryClaim(folder, dead);
  if (!claim) return undefined;
  try {
    if (store.readTrial(trial.id, numericVersion).state !== 'absent') return undefined;
    const record: FailedRecord = {
      schema: RECORD_SCHEMA,
      id: trial.id,
      config: trial.config,
      environment: environment(),
      startedAt,
      finishedAt: new Date().toISOString(),
      occupied: claim.before,
      status: 'failed',
      ...failure,
    };
    store.writeResult(record);
    store.cleanTrial(trial.id, { checkpoint: true });
    return record;
  } finally {
    claim.release();
  }
}
