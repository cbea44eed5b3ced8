/**
 * A sweep as MLflow runs, in the layout of MLflow's file store (`mlruns/EXPERIMENT/RUN/{params,metrics,tags}`), so that people
 * see trials where they already look. MLflow 3 reads this layout under MLFLOW_ALLOW_FILE_STORE=true, or after
 * `mlflow migrate-filestore`. Identifiers follow from the sweep's name and
 * the trial's identity, so exporting again updates the same runs and never doubles one.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parse, stringify } from 'yaml';
import { fileError, UserError } from '../../util/errors.js';
import { writeAtomic } from '../../util/files.js';
import { sha256 } from '../../util/hash.js';
import type { StoredTrial } from '../store/layout.js';
import type { DoneRecord, TrialRecord } from '../store/record.js';
import { fullRow, type Row } from './index-row.js';

/** RunStatus of MLflow's protocol. */
const STATUS = { done: 3, failed: 4 };
/** SourceType LOCAL. */
const LOCAL = 4;

export interface MlflowExport {
  /** The experiment's folder. */
  path: string;
  experiment: string;
  runs: number;
}

/**
 * Writes each trial that has a record as one run; trials without one have nothing to show yet.
 * @throws UserError where `folder` cannot be written or holds an experiment that cannot be read.
 */
export function exportMlflow(
  sweep: string,
  trials: readonly { trial: StoredTrial; record: TrialRecord }[],
  folder: string,
): MlflowExport {
  const experiment = openExperiment(sweep, resolve(folder));
  for (const { trial, record } of trials) writeRun(experiment, sweep, trial, record);
  return { path: experiment.path, experiment: sweep, runs: trials.length };
}

interface Experiment {
  id: string;
  path: string;
}

/** The experiment of that name in the folder, made where there is none. Its name decides, as it does in MLflow. */
function openExperiment(name: string, folder: string): Experiment {
  const found = listExperiments(folder).find((experiment) => experiment.name === name);
  const id = found?.id ?? experimentId(name);
  const path = join(folder, id);
  if (!found) {
    const now = Date.now();
    writeYaml(join(path, 'meta.yaml'), {
      artifact_location: pathToFileURL(path).href,
      creation_time: now,
      experiment_id: id,
      last_update_time: now,
      lifecycle_stage: 'active',
      name,
    });
  }
  return { id, path };
}

function listExperiments(folder: string): { id: string; name: string }[] {
  try {
    if (!existsSync(folder)) return [];
    if (!statSync(folder).isDirectory())
      throw new UserError('this is a file, not a folder of MLflow', { place: folder });
    return readdirSync(folder).flatMap((id) => {
      const path = join(folder, id, 'meta.yaml');
      if (!existsSync(path)) return [];
      const meta = parse(readFileSync(path, 'utf8')) as { name?: unknown } | null;
      return [{ id, name: String(meta?.name ?? '') }];
    });
  } catch (error) {
    if ((error as Error).name === 'YAMLParseError')
      throw new UserError('an experiment in this folder cannot be read', { place: folder, cause: error });
    throw fileError(error, folder, 'read this folder');
  }
}

/** MLflow's own identifiers are integers of 18 digits. */
function experimentId(name: string): string {
  const digits = BigInt(`0x${sha256('perflaw experiment', name).slice(0, 16)}`);
  return String(10n ** 17n + (digits % (9n * 10n ** 17n)));
}

function writeRun(experiment: Experiment, sweep: string, trial: StoredTrial, record: TrialRecord): void {
  const id = sha256('perflaw run', experiment.id, trial.id).slice(0, 32);
  const path = join(experiment.path, id);
  const start = Date.parse(record.startedAt);
  const end = Date.parse(record.finishedAt);
  const row = fullRow(trial, record);
  for (const [name, value] of Object.entries(parameters(row)))
    write(join(path, 'params', name), String(value));
  const metrics = record.status === 'done' ? { ...results(row), ...curve(record, start) } : {};
  for (const [name, lines] of Object.entries(metrics))
    write(
      join(path, 'metrics', ...name.split('/')),
      lines.map(({ at, value, step }) => `${at ?? end} ${value} ${step}\n`).join(''),
    );
  const tags: Record<string, string> = {
    'mlflow.runName': trial.label,
    'mlflow.source.name': `perflaw ${record.environment.perflaw}`,
    'mlflow.source.type': 'LOCAL',
    'perflaw.sweep': sweep,
    'perflaw.trial': trial.id,
    'perflaw.host': record.environment.host,
  };
  if (record.status === 'failed') tags['mlflow.note.content'] = `${record.reason}: ${record.message}`;
  for (const [name, value] of Object.entries(tags)) write(join(path, 'tags', name), value);
  mkdirSync(join(path, 'artifacts'), { recursive: true });
  // Last, because MLflow takes a folder for a run once it has this file.
  writeYaml(join(path, 'meta.yaml'), {
    artifact_uri: pathToFileURL(join(path, 'artifacts')).href,
    end_time: end,
    entry_point_name: '',
    experiment_id: experiment.id,
    lifecycle_stage: 'active',
    run_id: id,
    run_name: trial.label,
    run_uuid: id,
    source_name: '',
    source_type: LOCAL,
    source_version: '',
    start_time: start,
    status: STATUS[record.status],
    tags: [],
    user_id: '',
  });
}

/** Columns of a row that are results, not settings. */
const RESULT = /@|^(seconds|tokensPerSecond|peakMemoryBytes|bestEpoch|epochsRun|training_tokens)$/;
const NEITHER = new Set(['id', 'status', 'started_at', 'finished_at', 'host', 'reason', 'message']);

function parameters(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).filter(([name, value]) => value !== null && !NEITHER.has(name) && !RESULT.test(name)),
  );
}

type Values = Record<string, { at?: number; value: number; step: number }[]>;

function results(row: Row): Values {
  const entries = Object.entries(row).filter(
    (entry): entry is [string, number] => RESULT.test(entry[0]) && typeof entry[1] === 'number',
  );
  return Object.fromEntries(entries.map(([name, value]) => [metricName(name), [{ value, step: 0 }]]));
}

/** Loss and validation metrics by epoch, each at the time at which the epoch had ended in training alone. */
function curve(record: DoneRecord, start: number): Values {
  const values: Values = {};
  const { history } = record.config.evaluation;
  let seconds = 0;
  for (const epoch of record.result.curve) {
    seconds += epoch.seconds;
    const at = start + Math.round(1000 * seconds);
    const seen = {
      loss: epoch.loss,
      'epoch:tokensPerSecond': epoch.tokensPerSecond,
      ...Object.fromEntries(
        Object.entries(epoch.validation?.[history] ?? {}).map(([name, v]) => [`epoch:validation:${name}`, v]),
      ),
    };
    for (const [name, value] of Object.entries(seen))
      values[metricName(name)] = [...(values[metricName(name)] ?? []), { at, value, step: epoch.epoch }];
  }
  return values;
}

/** MLflow allows no @ in a name, and shows `a/b` as groups: `unmasked:hr@10` becomes `unmasked/hr_at_10`. */
function metricName(name: string): string {
  return name.replaceAll('@', '_at_').replaceAll(':', '/');
}

/** Without fsync: a run has some sixty files, and an export that a crash cut short is made again. */
function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (error) {
    throw fileError(error, path, 'write this file');
  }
}

function writeYaml(path: string, value: Record<string, unknown>): void {
  writeAtomic(path, stringify(value));
}
