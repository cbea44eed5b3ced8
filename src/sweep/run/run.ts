/**
 * Runs a plan: starts trials where there is room, those that take longest first, so that none is left alone at the end, and
 * believes nothing but the store about what came out.
 * Running a sweep again is resuming it. Several commands may run one sweep at the same time, on one machine or many:
 * each takes what is free and waits for the rest.
 */

import { UserError } from '../../util/errors.js';
import type { Adopted, Ending, Launcher, RunningTrial, TrialOrder } from '../launch/launcher.js';
import { ClaimWatch } from '../store/claim.js';
import { STORE_SCHEMA, type StoredTrial } from '../store/layout.js';
import { type DoneRecord, isHalved, type TrialRecord } from '../store/record.js';
import type { SweepStore } from '../store/store.js';
import { expectedSeconds, longestFirst } from './estimate.js';
import { logSize } from './failure.js';
import { endEarly, type Standing, Tournament } from './halving.js';
import type { RunObserver, RunOptions, RunSummary } from './run-options.js';
import { RunningTrials } from './running.js';
import { type LogPart, nextStep, outOfMemoryKills, recordFailure, verdict } from './verdict.js';

export type { RunObserver, RunOptions, RunSummary };

/**
 * Runs every trial that has no result yet.
 * @throws UserError when the store cannot be written; trials that run are stopped with a checkpoint first.
 */
export function runSweep(
  store: SweepStore,
  trials: readonly StoredTrial[],
  launcher: Launcher,
  options: RunOptions,
  observer: RunObserver = {},
): Promise<RunSummary> {
  return new Run(store, trials, launcher, options, observer).toTheEnd();
}

class Run {
  readonly #watch: ClaimWatch;
  readonly #records = new Map<string, TrialRecord>();
  readonly #waiting: StoredTrial[] = [];
  readonly #running: RunningTrials;
  /** In the order in which they are started. */
  readonly #order: readonly StoredTrial[];
  readonly #restarts = new Map<string, number>();
  readonly #adopted = new Map<string, RunningTrial>();
  readonly #startedAt = new Date().toISOString();
  readonly #tournament: Tournament | undefined;
  /** Trials that an earlier run ended early. */
  readonly #halvedBefore = new Set<string>();
  #left = 0;
  #detached = false;
  #endedBefore: Adopted['ended'] = [];
  #kept = 0;
  #overBudget = 0;
  #fatal: unknown;
  #wake = () => {};

  constructor(
    readonly store: SweepStore,
    readonly trials: readonly StoredTrial[],
    readonly launcher: Launcher,
    readonly options: RunOptions,
    readonly observer: RunObserver,
  ) {
    this.#watch = options.watch ?? new ClaimWatch();
    this.#running = new RunningTrials(launcher.queues ?? false, options.cores, observer);
    const { halving, numericVersion, tuned, hours } = options;
    // Hours are spent on the smallest, as FLOPs are.
    this.#order = hours === undefined ? longestFirst(trials) : trials;
    this.#tournament = halving && new Tournament(store, trials, halving, numericVersion, tuned);
  }

  async toTheEnd(): Promise<RunSummary> {
    const begun = performance.now();
    const { signal, killSignal } = this.options;
    const onStop = () => this.#stopAll('checkpoint');
    const onKill = () => this.#stopAll('now');
    signal?.addEventListener('abort', onStop);
    killSignal?.addEventListener('abort', onKill);
    try {
      await this.#adopt();
      this.#takeStock();
      if (this.options.detach && !this.#stopping()) {
        this.#fillSlots();
        this.#detached = true;
        this.launcher.leave?.();
      }
      while (this.#running.size > 0 || (this.#waiting.length > 0 && !this.#stopping())) {
        if (!this.#stopping()) this.#fillSlots();
        this.#running.shareCores();
        if (this.#running.size > 0 || this.#waiting.length > 0) await this.#change();
      }
    } catch (error) {
      this.#fail(error);
      await this.#running.ended();
    } finally {
      signal?.removeEventListener('abort', onStop);
      killSignal?.removeEventListener('abort', onKill);
      await this.launcher.close?.();
    }
    if (this.#fatal !== undefined) throw this.#fatal;
    const all = [...this.#records.values()];
    const done = all.filter((record) => record.status === 'done').length;
    return {
      records: this.#records,
      kept: this.#kept,
      done,
      failed: all.length - done,
      halved: all.filter(isHalved).length,
      open: this.trials.length - all.length,
      overBudget: this.#overBudget,
      left: this.#left,
      interrupted: Boolean(signal?.aborted || killSignal?.aborted),
      seconds: (performance.now() - begun) / 1000,
    };
  }

  /** What earlier commands left with a batch system: asked before anything is changed. */
  async #adopt(): Promise<void> {
    const ids = new Set(this.trials.map(({ id }) => id));
    const adopted = await this.launcher.adopt?.(this.store.path, ids, this.#running.onProgress);
    for (const process of adopted?.running ?? []) this.#adopted.set(process.id, process);
    this.#endedBefore = adopted?.ended ?? [];
  }

  /** What is there already, what has to run. */
  #takeStock(): void {
    for (const trial of this.#order) {
      const found = this.store.readTrial(trial.id, this.options.numericVersion);
      this.store.refuseOtherResult(found);
      if (found.state === 'damaged') {
        this.observer.note?.(
          `${found.path}: this result ${found.reason}. It is kept aside and the trial runs again.`,
        );
        this.store.setAside(trial.id, 'damaged');
      } else if (found.state === 'failed' && this.options.retryFailed)
        this.store.setAside(trial.id, 'failed');
      else if (found.state === 'done' && isHalved(found.record)) {
        this.#tournament?.know(trial.id, found.record);
        this.#halvedBefore.add(trial.id);
      } else if (found.state !== 'absent') {
        this.store.tidyFinished(trial.id);
        this.#settle(trial, found.record, true);
        continue;
      }
      const ended = this.#endedBefore.find(({ id }) => id === trial.id);
      const running = this.#adopted.get(trial.id);
      if (running) this.#follow(trial, running, outOfMemoryKills());
      else if (ended) {
        const log = { path: this.store.logFile(trial.id), from: 0 };
        this.#ended(trial, ended.ending, log, this.#startedAt, false);
      } else this.#waiting.push(trial);
    }
  }

  #fillSlots(): void {
    const batch: { trial: StoredTrial; order: TrialOrder }[] = [];
    const standing = this.#tournament?.standings();
    for (
      let i = 0;
      i < this.#waiting.length && this.#running.size + batch.length < this.launcher.capacity;
    ) {
      const trial = this.#waiting[i]!;
      const outcome = this.#decide(trial, standing?.get(trial.id) ?? { next: 'train' });
      if (outcome === 'not now') {
        i++;
        continue;
      }
      this.#waiting.splice(i, 1);
      if ('record' in outcome) this.#settle(trial, outcome.record, outcome.kept);
      else if (
        this.#fitsHours(
          trial,
          outcome.untilEpoch,
          batch.map((b) => b.trial),
        )
      )
        batch.push({ trial, order: outcome.order });
      else {
        this.#overBudget++;
        this.#tournament?.know(trial.id, 'out');
      }
    }
    if (batch.length > 0) this.#start(batch);
  }

  #start(batch: { trial: StoredTrial; order: TrialOrder }[]): void {
    const killsBefore = outOfMemoryKills();
    const started = new Map(
      this.launcher
        .start(
          this.store.path,
          batch.map(({ order }) => order),
          this.#running.onProgress,
        )
        .map((process) => [process.id, process]),
    );
    for (const { trial } of batch) {
      const process = started.get(trial.id);
      if (process) this.#follow(trial, process, killsBefore);
      else this.#waiting.push(trial);
    }
  }

  /** Whether a trial has its result, can be started, or must wait for somebody. */
  #decide(
    trial: StoredTrial,
    standing: Standing,
  ): { record: TrialRecord; kept: boolean } | { order: TrialOrder; untilEpoch?: number } | 'not now' {
    const { id } = trial;
    const found = this.store.readTrial(id, this.options.numericVersion);
    const halved = found.state === 'done' && isHalved(found.record);
    if ((found.state === 'done' || found.state === 'failed') && !halved)
      return { record: found.record, kept: false };
    if (halved && standing.next === 'drop') return { record: found.record, kept: this.#halvedBefore.has(id) };
    if (standing.next === 'wait') return 'not now';
    this.store.refuseLinks(id);
    this.store.writeJob({
      schema: STORE_SCHEMA,
      id,
      numericVersion: this.options.numericVersion,
      config: trial.config,
      data: this.options.data,
      ...(this.options.keepWeights === false ? { keepWeights: false } : {}),
      ...(standing.next === 'train' ? { untilEpoch: standing.untilEpoch } : {}),
    });
    const claim = this.#watch.look(this.store.folder(id));
    if (claim.state === 'alive') return 'not now';
    const provenDead = claim.state === 'dead' ? claim.token : undefined;
    if (standing.next === 'drop') {
      const record = endEarly(this.store, this.#tournament!.reached(id)!, provenDead);
      return record ? { record, kept: false } : 'not now';
    }
    if (halved) this.store.reopen(found.record as DoneRecord);
    return { order: { id, provenDead }, untilEpoch: standing.untilEpoch };
  }

  #follow(trial: StoredTrial, process: RunningTrial, killsBefore: number): void {
    const startedAt = new Date().toISOString();
    const path = this.store.logFile(trial.id);
    const log = { path, from: logSize(path) };
    this.#running
      .add(trial, process, (ending) =>
        this.#ended(trial, ending, log, startedAt, outOfMemoryKills() > killsBefore),
      )
      .catch((error) => this.#fail(error))
      .finally(() => this.#wake());
  }

  #ended(trial: StoredTrial, ending: Ending, log: LogPart, startedAt: string, oomKilled: boolean): void {
    const { numericVersion, limits } = this.options;
    const found = this.store.readTrial(trial.id, numericVersion);
    if (found.state === 'failed' || (found.state === 'done' && !isHalved(found.record))) {
      this.#settle(trial, found.record, false);
      return;
    }
    this.observer.stopped?.(trial);
    if (ending.fate === 'left') this.#left++;
    const failure = verdict(ending, log, limits ?? {}, oomKilled);
    const restarts = this.#restarts.get(trial.id) ?? 0;
    const stopping = this.#stopping();
    const advanced = this.#tournament?.hasAdvanced(trial.id) ?? false;
    const next = nextStep(ending, failure.reason, { stopping, advanced, restarts });
    if (next.step === 'leave') return;
    if (next.step === 'disk full')
      throw new UserError('no space left on the device', {
        place: this.store.path,
        remedy: 'Free some space and run the same command again; finished trials are kept.',
      });
    if (next.step === 'take turn') {
      this.#waitAgain(trial);
      return;
    }
    if (next.step === 'go on') {
      if (next.restart) this.#restarts.set(trial.id, restarts + 1);
      if (next.because)
        this.observer.note?.(`${trial.label}: ${next.because}; it goes on from its checkpoint.`);
      this.#waiting.unshift(trial);
      return;
    }
    const { endedJob } = ending;
    const record = recordFailure(this.store, trial, failure, startedAt, numericVersion, endedJob);
    if (record) this.#settle(trial, record, false);
    else this.#waiting.push(trial);
  }

  /** Back among the waiting ones, in its place. */
  #waitAgain(trial: StoredTrial): void {
    const rank = this.#order.indexOf(trial);
    const at = this.#waiting.findIndex((other) => this.#order.indexOf(other) > rank);
    this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, trial);
  }

  #settle(trial: StoredTrial, record: TrialRecord, kept: boolean): void {
    this.#records.set(trial.id, record);
    this.#tournament?.know(trial.id, record);
    if (kept) this.#kept++;
    this.observer.finished?.(trial, record, kept);
  }

  /** Whether the hours left would do for this trial and for all that run or are chosen to. */
  #fitsHours(trial: StoredTrial, untilEpoch: number | undefined, chosen: StoredTrial[]): boolean {
    const { hours } = this.options;
    if (hours === undefined) return true;
    const others = [...chosen, ...this.#running.trials()];
    return expectedSeconds(trial, untilEpoch, others, [...this.#records.values()]) <= hours * 3600;
  }

  #stopping(): boolean {
    const { signal, killSignal } = this.options;
    return Boolean(signal?.aborted || killSignal?.aborted) || this.#detached || this.#fatal !== undefined;
  }

  #stopAll(how: 'checkpoint' | 'now'): void {
    if (this.launcher.leave) this.launcher.leave();
    else this.#running.stop(how);
    this.#wake();
  }

  #fail(error: unknown): void {
    this.#fatal ??= error;
    this.#stopAll('checkpoint');
  }

  /** Until a process ends, somebody asks to stop, or it is time to look at others' trials again. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.options.pollMs ?? 2000);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
