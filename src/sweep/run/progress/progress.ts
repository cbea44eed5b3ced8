/**
 * What people see while a sweep runs: a live window on a terminal, elsewhere a line a finished trial, or one a minute.
 * The state and its words are plain values; only `showProgress` touches a stream.
 */
import type { WriteStream } from 'node:tty';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { TrainingProgress } from '../../../train/hooks.js';
import { mostThreads } from '../../../train/threads/worth.js';
import { formatCount, formatDuration } from '../../../util/format.js';
import type { StoredTrial } from '../../store/layout.js';
import { isHalved, type TrialRecord } from '../../store/record.js';
import { longestFirst, measuredShareOfEpochs, measuredSpeed, shareDone, workOf } from '../estimate.js';
import type { RunObserver } from '../run.js';
import { speedOf, wallSeconds } from '../share-cores.js';

export interface ProgressState {
  name: string;
  workers: number;
  /** Cores that the trials share; one a worker where none are shared. */
  cores: number;
  trials: readonly StoredTrial[];
  records: Map<string, TrialRecord>;
  running: Map<string, { trial: StoredTrial; progress: TrainingProgress | undefined }>;
  /** Label and text of the last things worth telling, oldest first. */
  notes: string[];
}

export function newProgress(
  name: string,
  workers: number,
  trials: readonly StoredTrial[],
  cores = workers,
): ProgressState {
  return { name, workers, cores, trials, records: new Map(), running: new Map(), notes: [] };
}

/** `.0831` */
export function metricText(value: number | null | undefined): string {
  return value === null || value === undefined ? '-' : value.toFixed(4).replace(/^0\./, '.');
}

/** Work a second and core of a running trial, by its own tokens a second. */
function ownSpeed(trial: StoredTrial, progress: TrainingProgress | undefined): number | undefined {
  if (!progress || !(progress.tokensPerSecond > 0)) return undefined;
  const speed = progress.tokensPerSecond / speedOf(progress.threads ?? 1);
  return (speed * workOf(trial)) / (trial.tokens * trial.config.training.epochs);
}

/**
 * Seconds until everything is done: running trials by their own speed, waiting ones by that of the finished ones;
 * undefined before anything was measured.
 */
export function secondsLeft(state: ProgressState): number | undefined {
  const records = [...state.records.values()];
  const running = [...state.running.values()].map(({ trial, progress }) => ownSpeed(trial, progress));
  const common = measuredSpeed(records) ?? running.find((speed) => speed !== undefined);
  if (common === undefined) return undefined;
  const share = measuredShareOfEpochs(records);
  const left = longestFirst(state.trials)
    .filter(({ id }) => !state.records.has(id))
    .map((trial) => {
      const progress = state.running.get(trial.id)?.progress;
      const work = workOf(trial) * Math.max(share - shareDone(progress), 0.02);
      return { work: work / (ownSpeed(trial, progress) ?? common), most: mostThreads(trial.config) };
    });
  return wallSeconds(left, state.workers, state.cores);
}

function counts(state: ProgressState): string {
  const failed = [...state.records.values()].filter((record) => record.status === 'failed').length;
  const left = secondsLeft(state);
  return [
    `${state.records.size}/${state.trials.length} trials`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(left !== undefined && state.records.size < state.trials.length
      ? [`about ${formatDuration(left)} left`]
      : []),
  ].join(', ');
}

function progressWords({ config }: StoredTrial, progress: TrainingProgress | undefined): string {
  if (!progress) return 'starting';
  return [
    `epoch ${progress.epoch}/${progress.epochs}`,
    `loss ${Number.isFinite(progress.loss) ? progress.loss.toFixed(3) : '-'}`,
    `best ${config.evaluation.select} ${metricText(progress.best)}`,
    `${formatCount(progress.tokensPerSecond)} tokens/s`,
  ].join('  ');
}

/** A finished trial in a line: its test metric beside the popularity baseline's, or why it failed. */
export function finishedLine(trial: StoredTrial, record: TrialRecord): string {
  if (record.status === 'failed') return `${trial.label}: failed (${record.reason}): ${record.message}`;
  const { select, history } = record.config.evaluation;
  const value = metricText(record.result.test[history][select]);
  const popular = metricText(record.popularity.test[history][select]);
  const { training, evaluation } = record.result.seconds;
  const early = isHalved(record) ? `, ended after epoch ${record.result.epochsRun}: others were better` : '';
  return `${trial.label}: test ${select} ${value} (popularity ${popular}), ${formatDuration(training + evaluation)}${early}`;
}

/** The live window's lines. */
export function windowLines(state: ProgressState, width: number, colors = pc.createColors(false)): string[] {
  const share = state.trials.length === 0 ? 1 : state.records.size / state.trials.length;
  const bar = Math.max(10, Math.min(40, width - 50));
  const filled = Math.round(share * bar);
  const labels = [...state.running.values()].map(({ trial }) => trial.label.length);
  const column = Math.min(Math.max(0, ...labels), Math.max(20, width - 60));
  const cut = (text: string) => (text.length > width ? `${text.slice(0, width - 1)}…` : text);
  return [
    `${colors.bold(state.name)}  ${colors.cyan('━'.repeat(filled))}${colors.dim('━'.repeat(bar - filled))}  ${counts(state)}`,
    ...[...state.running.values()].map(({ trial, progress }) =>
      cut(`  ${trial.label.slice(0, column).padEnd(column)}  ${progressWords(trial, progress)}`),
    ),
    ...state.notes.slice(-3).map((note) => colors.dim(cut(`  ${note}`))),
  ];
}

export interface ProgressOutput {
  stream: NodeJS.WriteStream | NodeJS.WritableStream;
  /** Seconds between lines where there is no terminal and no trial finishes. */
  everySeconds?: number;
  environment?: NodeJS.ProcessEnv;
}

/** Shows a run on a stream; hand the observer to the run, and call `close` at its end. */
export function showProgress(
  state: ProgressState,
  { stream, everySeconds = 60, environment = process.env }: ProgressOutput,
): { observer: RunObserver; close(): void } {
  const live = (stream as WriteStream).isTTY === true && environment['TERM'] !== 'dumb';
  const colors = pc.createColors(live && !environment['NO_COLOR']);
  const window = live ? createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true }) : undefined;
  const print = (text: string) => {
    if (window) window.clear();
    stream.write(`${text}\n`);
    draw();
  };
  const draw = () => window?.(windowLines(state, (stream as WriteStream).columns || 80, colors).join('\n'));
  let spokenAt = performance.now();
  const timer = setInterval(
    () => {
      if (live) return draw();
      if (performance.now() - spokenAt < everySeconds * 1000) return;
      spokenAt = performance.now();
      const running = [...state.running.values()].map(
        ({ trial, progress }) => `${trial.label} ${progressWords(trial, progress)}`,
      );
      print(`[${counts(state)}] running: ${running.join('; ') || 'nothing here'}`);
    },
    live ? 250 : 1000,
  );
  timer.unref();
  return {
    observer: {
      started: (trial) => state.running.set(trial.id, { trial, progress: undefined }),
      progress: (trial, progress) => {
        const entry = state.running.get(trial.id);
        if (entry) entry.progress = progress;
      },
      stopped: (trial) => state.running.delete(trial.id),
      finished: (trial, record, kept) => {
        state.running.delete(trial.id);
        state.records.set(trial.id, record);
        if (kept) return;
        spokenAt = performance.now();
        const place = `[${state.records.size}/${state.trials.length}]`;
        const line = `${place} ${finishedLine(trial, record)}`;
        print(record.status === 'failed' ? colors.red(line) : line);
      },
      note: (text) => print(colors.yellow(text)),
    },
    close() {
      clearInterval(timer);
      window?.clear();
      window?.done();
    },
  };
}
