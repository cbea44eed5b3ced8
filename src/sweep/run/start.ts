/** From a sweep file to a plan with its data set open, and from there to a run: what the command and a script both do. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type DatasetReference, openDataset } from '../../data/dataset.js';
import { countTokens, type Interactions, type Sequences } from '../../data/interactions.js';
import { type SliceSpec, sliceLabel, sliceSequences } from '../../data/slice.js';
import { splitInteractions, splitLabel } from '../../data/split.js';
import { resolveBackend } from '../../kernels/choose.js';
import { evaluationSet, leavesMoreThan } from '../../train/evaluation/evaluation-set.js';
import { epochWork } from '../../train/step/batches.js';
import { hasThreads, mostThreads } from '../../train/threads/worth.js';
import { UserError } from '../../util/errors.js';
import {
  type DataFacts,
  LABELLED,
  type Plan,
  type PlannedTrial,
  planSweep,
  trialLabel,
} from '../file/plan.js';
import { resolveSweep, type Sweep, type SweepOverrides } from '../file/resolve.js';
import { readSweepFile } from '../file/spec.js';
import { type LauncherName, launcherKind } from '../launch/launchers.js';
import { indexRow } from '../results/index-row.js';
import { varyingColumns } from '../results/varying.js';
import { environment } from '../store/environment.js';
import { type RankedUsers, STORE_SCHEMA, type StoredPlan, type StoredTrial } from '../store/layout.js';
import { rememberSweep, sweepFolder } from '../store/locate.js';
import type { TrialRecord } from '../store/record.js';
import { SweepStore } from '../store/store.js';
import { estimateMemory, realCost, THREAD_BYTES } from './estimate.js';
import { storedGoal } from './goal/problem.js';
import { goalStart, runRounds } from './goal/rounds.js';
import { type RunObserver, type RunOptions, type RunSummary, runSweep } from './run.js';

export interface PrepareOptions extends SweepOverrides {
  /** Folder for plan and results; `<workspace>/reports/<name>` by default. */
  out?: string;
  /** Where it will run, which may decide how many trials run at a time. */
  launch?: LauncherName;
  onNote?(note: string): void;
}

export interface PreparedSweep {
  sweep: Sweep;
  plan: Plan;
  store: SweepStore;
  stored: StoredPlan;
}

export interface StartOptions {
  retryFailed?: boolean;
  /** Where trials run: processes of this machine where absent. */
  launch?: LauncherName;
  /** Where trials go on without the command: submit what is missing and return. */
  detach?: boolean;
  /** Aborted: checkpoint and stop. */
  signal?: AbortSignal;
  /** Aborted: stop at once. */
  killSignal?: AbortSignal;
}

/**
 * Reads a sweep file, opens its data set and plans its trials. Writes nothing but the data set's cache.
 * @throws UserError for every mistake in the file, and for a data set that is not there.
 */
export async function prepareSweep(file: string, options: PrepareOptions = {}): Promise<PreparedSweep> {
  const sweep = resolveSweep(readSweepFile(file), options);
  const reference = absolute(sweep.data);
  const backend = await resolveBackend(sweep.backend);
  refuseThreads(sweep, backend);
  const cost = await realCost(usualThreads(sweep, options.launch ?? 'local'));
  const data = await openFor(sweep, reference, options);
  const plan = planSweep(sweep, backend, factsOf(data, sweep), cost);
  for (const text of [...plan.notes, ...sampleNotes(sweep, data)]) options.onNote?.(`Note: ${text}`);
  if (options.launch) {
    const { workers } = launcherKind(options.launch);
    sweep.workers = workers?.(sweep.launchers[options.launch] ?? {}, plan.trials.length) ?? sweep.workers;
  }
  const store = new SweepStore(sweepFolder(sweep.name, options.out));
  const goal = storedGoal(sweep, plan, cost.numericVersion);
  const stored: StoredPlan = {
    schema: STORE_SCHEMA,
    name: sweep.name,
    perflaw: environment().perflaw,
    numericVersion: cost.numericVersion,
    updatedAt: new Date().toISOString(),
    data: { name: data.name, hash: data.hash, numItems: data.numItems, reference },
    workers: sweep.workers,
    ranked: rankedUsers(data, sweep),
    ...(plan.tuned.length > 0 ? { tuned: plan.tuned } : {}),
    ...(goal ? { goal } : {}),
    file: sweep.file,
    text: sweep.text,
    trials: storedTrials(plan.trials),
  };
  // what cannot be reached is said before anything is run
  if (goal)
    await goalStart(store, stored, sweep.placeOf, !(options.launch && launcherKind(options.launch).queue));
  return { sweep, plan, store, stored };
}

/**
 * Runs a prepared sweep on this machine or on a cluster; what is finished is kept.
 * @throws UserError when its folder cannot be written.
 */
export async function startSweep(
  { sweep, store, stored }: PreparedSweep,
  { launch = 'local', ...options }: StartOptions = {},
  observer: RunObserver = {},
): Promise<RunSummary> {
  const orphans = resultsLeftOut(store, stored);
  if (orphans > 0)
    observer.note?.(
      `${orphans} results in ${store.path} belong to an earlier version of this sweep file (or of its data) and are left out now.`,
    );
  store.writePlan(stored);
  store.removeLitter();
  rememberSweep(store.path);
  const { limits, budget, keepWeights, halving } = sweep;
  const records = new Map<string, TrialRecord>();
  let indexedAt = performance.now();
  const writeIndex = () =>
    store.writeIndex(stored.trials.map((trial) => indexRow(trial, records.get(trial.id))));
  const run = async (trials: readonly StoredTrial[]) =>
    runSweep(
      store,
      trials,
      await launcherKind(launch).open({
        sweep: sweep.name,
        workers: sweep.workers,
        threads: sweep.threads,
        limits,
        settings: sweep.launchers[launch] ?? {},
        onNote: (text) => observer.note?.(text),
      }),
      {
        numericVersion: stored.numericVersion,
        data: stored.data.reference,
        limits,
        keepWeights,
        hours: budget.hours,
        halving,
        tuned: stored.tuned,
        // Elsewhere a trial has the cores that its job asks for.
        ...(launch === 'local' ? { cores: coresOf(sweep, stored.data.numItems) } : {}),
        ...options,
      },
      {
        ...observer,
        finished(trial, record, kept) {
          records.set(trial.id, record);
          observer.finished?.(trial, record, kept);
          if (!kept && performance.now() - indexedAt > 5000) {
            writeIndex();
            indexedAt = performance.now();
          }
        },
      },
    );
  const summary = stored.goal
    ? await runRounds(store, stored, run, !launcherKind(launch).queue, observer.decided)
    : await run(stored.trials);
  writeIndex();
  return summary;
}

/** @throws UserError where threads are asked for that the backend does not know. */
function refuseThreads({ threads, lines }: Sweep, backend: string): void {
  if (threads === 'auto' || threads === 1 || hasThreads({ backend })) return;
  const from = lines.find(({ path }) => path === 'threads')?.from;
  throw new UserError(`trials on ${backend} have no threads of their own`, {
    place: from === 'command line' ? '--threads' : from,
    remedy: 'Use --backend wasm, or leave the threads out.',
  });
}

/** Threads of a trial while there is enough to do for every worker. */
function usualThreads({ threads, workers, cores, launchers }: Sweep, launch: LauncherName): number {
  if (threads !== 'auto') return threads;
  return launch === 'slurm'
    ? ((launchers.slurm?.['cpus'] as number | undefined) ?? 1)
    : Math.max(1, Math.floor(cores / workers));
}

/** Cores that the trials share on this machine; none gets so many threads that it would pass its memory limit. */
export function coresOf(
  { threads, workers, cores, limits }: Sweep,
  numItems: number,
): NonNullable<RunOptions['cores']> {
  if (threads !== 'auto')
    return { count: threads * workers, mostOf: ({ config }) => (hasThreads(config) ? threads : 1) };
  return {
    count: cores,
    free: true,
    mostOf({ config }) {
      const room = limits.memory === undefined ? Infinity : limits.memory - estimateMemory(config, numItems);
      return Math.max(1, Math.min(mostThreads(config), 1 + Math.floor(room / THREAD_BYTES)));
    },
  };
}

/** Results of the plan that lies there already which the new plan has no place for. */
function resultsLeftOut(store: SweepStore, stored: StoredPlan): number {
  const planned = new Set(stored.trials.map(({ id }) => id));
  try {
    return store
      .readPlan()
      .trials.filter(({ id }) => !planned.has(id) && existsSync(join(store.folder(id), 'result.json')))
      .length;
  } catch {
    return 0; // None yet, or not readable: writing the plan says what is wrong.
  }
}

/** Each under a label that tells it from the others: with the settings in which they differ that the label does not hold. */
function storedTrials(trials: readonly PlannedTrial[]): StoredTrial[] {
  const varying = varyingColumns(
    trials.map(({ config }) => config),
    LABELLED,
  );
  return trials.map(({ id, config, parameters, tokens, flops }) => {
    const more = varying.of(config).map((value, i) => ` ${varying.names[i]}=${value}`);
    return { id, label: trialLabel(config) + more.join(''), config, parameters, tokens, flops };
  });
}

/** Which users are evaluated, where it is not everybody: a sample, or those whom a temporal split leaves. */
function sampleNotes({ evaluation, split }: Sweep, data: Interactions): string[] {
  const { users, testUsers = users } = evaluation;
  if (users === undefined && typeof testUsers !== 'number' && !split) return [];
  const { heldOut } = splitInteractions(data, split);
  const words = (count: number | 'all' | undefined, part: keyof typeof heldOut) => {
    const all = heldOut[part].users.length;
    return count === undefined || count === 'all' || count >= all ? `all ${all}` : `${count} of ${all}`;
  };
  return [
    `split ${splitLabel(split)}: validation on ${words(users, 'validation')} users, test on ${words(testUsers, 'test')}, the same in every trial; every metric has its standard error`,
  ];
}

/** Trials may run from another folder than the command. */
function absolute(reference: DatasetReference): DatasetReference {
  return typeof reference === 'string' && /[\\/.]/.test(reference) && existsSync(reference)
    ? resolve(reference)
    : reference;
}

async function openFor(
  sweep: Sweep,
  reference: DatasetReference,
  options: PrepareOptions,
): Promise<Interactions> {
  try {
    return await openDataset(reference, { onNote: options.onNote });
  } catch (error) {
    if (!(error instanceof UserError) || options.data !== undefined) throw error;
    throw new UserError(error.place ? `${error.place}: ${error.message}` : error.message, {
      place: sweep.placeOf(['data']),
      remedy: [error.remedy, 'Or train on another data set or file: perflaw sweep ... --data NAME|FILE.']
        .filter(Boolean)
        .join('\n  '),
      cause: error,
    });
  }
}

/** Whom every evaluation ranks, the validation's users. */
export function rankedUsers(
  data: Interactions,
  { evaluation, split }: Pick<Sweep, 'evaluation' | 'split'>,
): RankedUsers {
  const { begins, ends } = evaluationSet(data, splitInteractions(data, split), 'validation', evaluation);
  return { users: ends.length, events: ends.reduce((sum, end, u) => sum + end - begins[u]!, 0) };
}

/** What a plan asks of a data set that is open. */
export function factsOf(
  data: Interactions,
  { evaluation, split: spec }: Pick<Sweep, 'evaluation' | 'split'>,
): DataFacts {
  const split = splitInteractions(data, spec);
  const validation = evaluationSet(data, split, 'validation', evaluation);
  const slices = new Map<string, Sequences>();
  const sequencesOf = (slice: SliceSpec) => {
    const label = sliceLabel(slice);
    const found = slices.get(label) ?? sliceSequences(split.train, slice);
    slices.set(label, found);
    return found;
  };
  return {
    name: data.name,
    hash: data.hash,
    numItems: data.numItems,
    timed: data.timestamps !== null,
    leaves: (k) => leavesMoreThan(validation, data.numItems, k),
    tokensOf: (slice) => countTokens(sequencesOf(slice)),
    epochWorkOf: (config) => epochWork(config, sequencesOf(config.slice)),
  };
}
