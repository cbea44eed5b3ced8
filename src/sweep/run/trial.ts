/**
 * One trial, beside the command that started it: claim it, train it, write its result. Whoever runs this, and however often it is
 * killed in between, the result is the same: everything that decides it comes from the trial's configuration, and
 * an unfinished training goes on from its checkpoint.
 */
import type { DatasetReference } from '../../data/dataset.js';
import type { Interactions } from '../../data/interactions.js';
import type { TrialConfig } from '../../train/config.js';
import type { AskedThreads, TrainingHooks, TrainingProgress } from '../../train/hooks.js';
import type { RankingMetrics, TrainingResult } from '../../train/result.js';
import { describeError, UserError } from '../../util/errors.js';
import { TrialExit } from '../launch/launcher.js';
import { awaitClaim } from '../store/await-claim.js';
import { type Claim, HEARTBEAT_SECONDS, STALE_SECONDS, tryClaim } from '../store/claim.js';
import { environment } from '../store/environment.js';
import type { TrialJob } from '../store/layout.js';
import { type DoneRecord, RECORD_SCHEMA, type SliceMeasures } from '../store/record.js';
import { SweepStore } from '../store/store.js';
import { failureMessage, failureReason, isDiskFull } from './failure.js';
import type { Failure, OwnLimits } from './own-limits.js';

export interface SliceFacts {
  slice: SliceMeasures;
  popularity: { validation: RankingMetrics; test: RankingMetrics };
}

/** The rooms a trial works with; tests put smaller ones in their place. */
export interface TrialParts {
  /** Part of the identity: see CostModel. */
  numericVersion: number;
  openData(reference: DatasetReference): Promise<Interactions>;
  /** Throws an error named `TrainingInterrupted` after an abort, once its checkpoint is written. */
  train(config: TrialConfig, data: Interactions, hooks: TrainingHooks): Promise<TrainingResult>;
  sliceFacts(data: Interactions, config: TrialConfig): Promise<SliceFacts> | SliceFacts;
}

export interface TrialOptions {
  /** Token of a claim whose owner is known to be dead (see ClaimWatch). */
  provenDead?: string;
  /** Waits for the claim of an owner that may be dead, because nobody else would start this trial again. */
  patient?: boolean;
  limits?: OwnLimits;
  /** When this process turned to the trial, by `performance.now()`; 0, its start, for the first. */
  begun?: number;
  checkpointSeconds?: number;
  /** How many threads to compute on, as it stands. */
  threads?(): AskedThreads;
  onProgress?(progress: TrainingProgress): void;
  /** A failure was recorded: nobody knows what state it left the process in. */
  onFailure?(): void;
  signal?: AbortSignal;
}

/** Changes when slice measures or the baseline are computed differently: kept facts are then computed anew. */
const FACTS_VERSION = 'facts-2';

/**
 * Runs one trial of a store and returns how its process should end (see TrialExit).
 * @param path the sweep's folder.
 * @throws UserError when the trial's folder is missing, damaged or cannot be written.
 */
export async function runTrial(
  path: string,
  id: string,
  loadParts: () => Promise<TrialParts>,
  options: TrialOptions = {},
): Promise<number> {
  const store = new SweepStore(path);
  const job = store.readJob(id);
  store.refuseLinks(id);
  try {
    const folder = store.folder(id);
    const since = Date.now() - secondsSince(options) * 1000;
    const claim = options.patient
      ? await awaitClaim(folder, options.provenDead, STALE_SECONDS, since)
      : tryClaim(folder, options.provenDead, since);
    return claim ? await whileClaimed(store, job, claim, loadParts, options) : TrialExit.held;
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    process.stderr.write(`${failureMessage(error)}\n`);
    return TrialExit.diskFull;
  }
}

const secondsSince = ({ begun = performance.now() }: TrialOptions) => (performance.now() - begun) / 1000;

async function whileClaimed(
  store: SweepStore,
  job: TrialJob,
  claim: Claim,
  loadParts: () => Promise<TrialParts>,
  options: TrialOptions,
): Promise<number> {
  const heart = setInterval(() => claim.beat(), HEARTBEAT_SECONDS * 1000);
  try {
    if (store.readTrial(job.id, job.numericVersion).state !== 'absent') return TrialExit.recorded;
    // Only now: of several processes that reach for one trial, those that come late have cost little.
    const parts = await loadParts();
    if (job.numericVersion !== parts.numericVersion)
      throw new UserError(
        `this trial was planned by another version of perflaw (numeric version ${job.numericVersion}, this one has ${parts.numericVersion})`,
        { place: store.folder(job.id), remedy: 'Run the sweep again with one version.' },
      );
    return await work(store, job, claim, parts, options);
  } finally {
    clearInterval(heart);
    try {
      claim.release();
    } catch {
      // A full disk: the claim of an ended process counts as dead.
    }
  }
}

async function work(
  store: SweepStore,
  job: TrialJob,
  claim: Claim,
  parts: TrialParts,
  options: TrialOptions,
): Promise<number> {
  const { id, config } = job;
  const startedAt = new Date().toISOString();
  const begun = options.begun ?? performance.now();
  const base = () => ({
    schema: RECORD_SCHEMA as typeof RECORD_SCHEMA,
    id,
    config,
    environment: environment(),
    startedAt,
    finishedAt: new Date().toISOString(),
    occupied: claim.before + secondsSince({ begun }),
  });
  const recordFailed = (failure: Failure) => {
    store.writeResult({ ...base(), status: 'failed', ...failure });
    // A retry goes on from the last good checkpoint.
    store.cleanTrial(id, { checkpoint: true });
    options.onFailure?.();
    return TrialExit.recorded;
  };
  options.limits?.whenForced((failure) => {
    if (claim.held()) recordFailed(failure);
    claim.release();
    process.exit(TrialExit.recorded);
  });
  try {
    const data = await parts.openData(job.data);
    if (data.hash !== config.data.hash)
      throw new UserError('the data set changed since the sweep was planned', {
        place: config.data.name,
        remedy: 'Run the sweep again: its trials then carry the new content.',
      });
    const facts = await store.sliceFacts(data.hash, config, FACTS_VERSION, () =>
      parts.sliceFacts(data, config),
    );
    const result = await parts.train(config, data, {
      checkpointDir: store.checkpointFolder(id),
      checkpointSeconds: options.checkpointSeconds,
      untilEpoch: job.untilEpoch,
      ...(job.keepWeights === false ? {} : { weightsPath: store.weightsFile(id) }),
      ranksPath: store.ranksFile(id),
      threads: options.threads,
      signal: options.signal,
      onNote: (note) => void process.stderr.write(`${note}\n`),
      onProgress: signOfLife(store, id, claim, options),
    });
    if (!claim.held()) return TrialExit.held;
    const record: DoneRecord = { ...base(), status: 'done', ...facts, result };
    if (result.stopped === 'halving') {
      store.writeRung(record);
      store.cleanTrial(id, { checkpoint: true });
      return TrialExit.rung;
    }
    store.writeResult(record);
    store.cleanTrial(id, { checkpoint: false });
    return TrialExit.recorded;
  } catch (error) {
    const interrupted = error instanceof Error && error.name === 'TrainingInterrupted';
    const failure = options.limits?.failure;
    if (interrupted && !failure) return TrialExit.interrupted;
    if (isDiskFull(error)) throw error;
    if (!claim.held()) return TrialExit.held;
    if (interrupted && failure) return recordFailed(failure);
    // A stack tells of the program; what a person can mend is told in words.
    const stack = error instanceof Error && !(error instanceof UserError) ? error.stack : undefined;
    process.stderr.write(`${stack ?? describeError(error)}\n`);
    return recordFailed({ reason: failureReason(error), message: failureMessage(error) });
  } finally {
    options.limits?.end();
  }
}

/** Passes progress on, and keeps heartbeat and progress file fresh even where training leaves timers no turn. */
function signOfLife(store: SweepStore, id: string, claim: Claim, options: TrialOptions) {
  let beatAt = performance.now();
  let writtenAt = Number.NEGATIVE_INFINITY;
  return (progress: TrainingProgress) => {
    options.onProgress?.(progress);
    options.limits?.checkMemory();
    const now = performance.now();
    if (now - beatAt > HEARTBEAT_SECONDS * 1000) {
      beatAt = now;
      claim.beat();
      if (!claim.held()) throw new Error('another process took this trial over');
    }
    if (now - writtenAt > 2000) {
      writtenAt = now;
      // what is counted of an attempt that is killed ends here
      claim.beat();
      const { finished: _finished, ...rest } = progress;
      store.writeProgress(id, { ...rest, at: new Date().toISOString() });
    }
  };
}
