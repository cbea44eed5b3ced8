/**
 * How long trials take, and where that is known from: results of the sweep itself, a short training at its typical size, another sweep of
 * the workspace, or nothing but an assumption.
 */
import { join } from 'node:path';
import { median } from 'simple-statistics';
import type { TrialConfig } from '../../../train/config.js';
import { workspace } from '../../../util/workspace.js';
import type { RankedUsers, StoredPlan } from '../../store/layout.js';
import { listSweeps } from '../../store/locate.js';
import type { DoneRecord, TrialRecord } from '../../store/record.js';
import { SweepStore } from '../../store/store.js';
import {
  ASSUMED_SPEED,
  measuredShareOfEpochs,
  occupiedSeconds,
  trialSeconds,
  type Worked,
  wholeWork,
} from '../estimate.js';
import { probe } from './probe.js';

/** What the time of a trial follows from. */
export interface Pace {
  /** Work a second of one process on one core, evaluations counted on both sides (see wholeWork). */
  speed: number;
  /** Seconds of a trial beside them: its process, the data, the files. */
  start: number;
  /** Share of the planned epochs that is run: early stopping ends most before. */
  share: number;
  /** In words that follow "at the speed". */
  from: string;
}

/** Seconds that a trial's process takes to its first step, where none was seen. */
const START_SECONDS = 1.4;

/** Where nothing was measured and nothing can be. */
export const ASSUMED: Pace = {
  speed: ASSUMED_SPEED,
  start: START_SECONDS,
  share: 1,
  from: 'assumed, nothing was measured here yet',
};

/** What a plan says of its evaluations. */
export interface Evaluated {
  numItems: number;
  ranked?: RankedUsers;
}

export const evaluatedOf = ({ data, ranked }: StoredPlan): Evaluated => ({ numItems: data.numItems, ranked });

/** Wall seconds of a trial on one core. */
export function secondsAt(pace: Pace, trial: Worked, { numItems, ranked }: Evaluated): number {
  return pace.start + (pace.share * wholeWork(trial, numItems, ranked)) / pace.speed;
}

/** The pace of trials that finished; undefined where none did. */
export function measuredPace(
  records: readonly TrialRecord[],
  { numItems, ranked }: Evaluated,
  from: string,
): Pace | undefined {
  const done = records.filter((record): record is DoneRecord => record.status === 'done');
  let work = 0;
  let seconds = 0;
  for (const record of done) {
    const { parameters, flops, tokens, epochsRun } = record.result;
    const trial = {
      config: record.config,
      parameters: parameters.total,
      flops: flops.total,
      tokens: tokens.perEpoch,
    };
    work += wholeWork(trial, numItems, ranked, epochsRun);
    seconds += trialSeconds(record);
  }
  if (!(work > 0 && seconds > 0)) return undefined;
  const beside = done.map((record) => {
    const { training, evaluation } = record.result.seconds;
    return Math.max(0, occupiedSeconds(record) - training - evaluation);
  });
  return { speed: work / seconds, start: median(beside), share: measuredShareOfEpochs(done), from };
}

/** At most so many results say how fast a sweep is. */
const ENOUGH = 100;

function paceOfSweep(store: SweepStore, plan: StoredPlan, backend: string | undefined, from: string) {
  const records: TrialRecord[] = [];
  for (const { id, config } of plan.trials) {
    if (config.backend !== backend || records.length >= ENOUGH) continue;
    const found = store.readTrial(id, plan.numericVersion);
    if (found.state === 'done') records.push(found.record);
  }
  const pace = measuredPace(records, evaluatedOf(plan), from);
  // a plan tells at most how long it takes
  return pace && { ...pace, share: 1 };
}

function paceOfOthers(backend: string | undefined): Pace | undefined {
  for (const name of listSweeps().slice(0, 5))
    try {
      const store = new SweepStore(join(workspace().reports, name));
      const pace = paceOfSweep(store, store.readPlan(), backend, `measured in the sweep ${name}`);
      if (pace) return pace;
    } catch {
      // A damaged sweep tells nothing about speed.
    }
  return undefined;
}

/** The trial up to which half of a sweep's work is done, the smallest first: what it is about. */
export function typicalTrial<T extends Worked>(trials: readonly T[]): T | undefined {
  const sorted = [...trials].sort((a, b) => a.flops - b.flops);
  const total = sorted.reduce((sum, { flops }) => sum + flops, 0);
  let sum = 0;
  return sorted.find(({ flops }) => {
    sum += flops;
    return sum >= total / 2;
  });
}

/**
 * The pace of a plan's trials, at most: as measured in it, else by a short training here, side by side as the workers will be.
 * @param here whether its trials run on this machine: a cluster's nodes are others.
 */
export async function expectedPace(store: SweepStore, stored: StoredPlan, here = true): Promise<Pace> {
  const backend = stored.trials[0]?.config.backend;
  const own = paceOfSweep(store, stored, backend, 'measured in this sweep');
  if (own) return own;
  return paceHere(typicalTrial(stored.trials), evaluatedOf(stored), backend, here ? stored.workers : 0);
}

/** What `expectedPace` says of a sweep that has not begun; @param workers side by side, 0 where none runs here. */
export async function paceHere(
  trial: Worked | undefined,
  evaluated: Evaluated,
  backend: string | undefined,
  workers: number,
): Promise<Pace> {
  const probed = workers > 0 && trial ? await probedPace(trial, evaluated, workers) : undefined;
  return probed ?? paceOfOthers(backend) ?? ASSUMED;
}

const known = new Map<string, Promise<Pace | undefined>>();

/** Measured once a command. */
function probedPace(trial: Worked, evaluated: Evaluated, workers: number): Promise<Pace | undefined> {
  const { model, training, backend } = trial.config;
  const key = JSON.stringify([model, training, backend, evaluated, workers]);
  const found = known.get(key) ?? measure(trial, evaluated, workers);
  known.set(key, found);
  return found;
}

async function measure(
  trial: Worked,
  { numItems, ranked }: Evaluated,
  workers: number,
): Promise<Pace | undefined> {
  const history = ranked && ranked.users > 0 ? Math.max(1, Math.round(ranked.events / ranked.users)) : 1;
  const seen = await probe({ config: trial.config, numItems, history }, workers);
  if (!seen) return undefined;
  const { parameters, config } = trial;
  const { step, secondsAUser } = seen;
  const none = { users: 0, events: 0 };
  const oneStep = { ...config, training: { ...config.training, rows: step.rows } };
  const work = (of: Worked, users: RankedUsers | undefined, epochs?: number) =>
    wholeWork(of, numItems, users, epochs);
  const speed =
    work({ config: oneStep, parameters, flops: step.flops, tokens: step.tokens }, none, 1) / step.seconds;
  const { epochs, evaluateEvery } = config.training;
  const evaluations = (epochs / evaluateEvery + 1) * (ranked?.users ?? 0) * secondsAUser;
  const whole = work(trial, ranked);
  const seconds = work(trial, none) / speed + evaluations;
  return {
    speed: whole / seconds,
    start: seen.start,
    share: 1,
    from: `measured just now on ${sizeWords(trial.config)}`,
  };
}

const sizeWords = ({ model: { layers, dim } }: TrialConfig) =>
  `${layers} ${layers === 1 ? 'layer' : 'layers'} of dim ${dim}`;
