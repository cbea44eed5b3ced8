/** From a sweep file and the command line to settings without gaps, each of which knows where it comes from. */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, isAbsolute, resolve as resolvePath } from 'node:path';
import type { DatasetReference } from '../../data/dataset.js';
import { plainSlice, type SliceSpec } from '../../data/slice.js';
import type { SplitSpec } from '../../data/split.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../model/config.js';
import {
  DEFAULT_EVALUATION,
  DEFAULT_TRAINING,
  type EvaluationConfig,
  type TrainingConfig,
} from '../../train/config.js';
import { LAUNCHER_NAMES, type LauncherName, launcherKind } from '../launch/launchers.js';
import type { Goal, Halving } from './schema.js';
import type { SweepSource } from './spec.js';

/** What the command line may say over the file. */
export interface SweepOverrides {
  data?: string;
  backend?: string;
  workers?: number;
  threads?: number | 'auto';
}

/** Some settings of one trial, by axis. */
export interface Point {
  [axis: string]: unknown;
  slice?: SliceSpec;
}

export interface SettingLine {
  path: string;
  value: unknown;
  /** `default`, `file:line:column` or `command line`. */
  from: string;
}

/** A sweep with nothing left open except what an axis varies. */
export interface Sweep {
  name: string;
  file: string;
  text: string;
  data: DatasetReference;
  slices: SliceSpec[];
  seeds: number[];
  model: ModelConfig;
  training: TrainingConfig;
  evaluation: EvaluationConfig;
  /** Leave-one-out where undefined. */
  split: SplitSpec | undefined;
  grid: Record<string, unknown[]>;
  zip: Record<string, unknown[]>;
  /** Settings of which the best by validation stands for the configuration, with the values to try. */
  tune: Record<string, unknown[]>;
  list: Point[];
  exclude: Point[];
  budget: { flops?: number; hours?: number };
  halving: Halving | undefined;
  /** What is to be decided; every run of the plan is made where absent. */
  goal: Goal | undefined;
  limits: { memory?: number; time?: number };
  /** What each launcher is asked in its own section, by its name. */
  launchers: Partial<Record<LauncherName, Record<string, unknown>>>;
  backend: string;
  workers: number;
  /** Threads of a trial; `auto`: the cores that are free. */
  threads: number | 'auto';
  /** Cores of this machine. */
  cores: number;
  /** Whether every trial's best weights stay beside its result. */
  keepWeights: boolean;
  /** Settings named by the file itself: these are not replaced by a model's own default. */
  given: Set<string>;
  /** Every value in the order of the file format. */
  lines: SettingLine[];
  /** `file:line:column` of a setting. */
  placeOf(path: readonly PropertyKey[]): string;
}

/** Fills every gap of a sweep file. */
export function resolveSweep(source: SweepSource, overrides: SweepOverrides = {}): Sweep {
  const { settings } = source;
  const lines: SettingLine[] = [];
  const given = new Set<string>();
  const take = <T>(path: string[], own: T | undefined, fallback: T, override?: T): T => {
    const value = override ?? own ?? fallback;
    const from =
      override !== undefined ? 'command line' : own !== undefined ? source.placeOf(path) : 'default';
    if (override !== undefined || own !== undefined) given.add(path.join('.'));
    lines.push({ path: path.join('.'), value, from });
    return value;
  };
  const section = <T extends object>(name: string, own: object | undefined, defaults: T): T =>
    Object.fromEntries(
      Object.entries(defaults).map(([key, fallback]) => [
        key,
        take([name, key], (own as Record<string, unknown> | undefined)?.[key], fallback),
      ]),
    ) as T;

  const name = take(['name'], settings.name, source.name);
  const data = take<DatasetReference>(
    ['data'],
    dataReference(settings.data as DatasetReference, source.file),
    '',
    overrides.data,
  );
  const slices = take(['slices'], settings.slices?.map(plainSlice), [{ users: 1 }]);
  const seeds = take(['seeds'], settings.seeds, [0]);
  const model = section('model', settings.model, DEFAULT_MODEL);
  const training = section('training', settings.training, DEFAULT_TRAINING);
  // Settings without a default: absent unless the file names them.
  const optional = <T extends object>(section: 'model' | 'training' | 'evaluation', into: T): T => {
    for (const [key, value] of Object.entries(settings[section] ?? {}))
      if (!(key in into)) Object.assign(into, { [key]: take([section, key], value, value) });
    return into;
  };
  optional('model', model);
  optional('training', training);
  const evaluation = optional('evaluation', section('evaluation', settings.evaluation, DEFAULT_EVALUATION));
  evaluation.ks = [...new Set([...evaluation.ks, Number(evaluation.select.split('@')[1])])].sort(
    (a, b) => a - b,
  );
  const split = take<SplitSpec | 'leave-one-out'>(['split'], settings.split, 'leave-one-out');
  const axes = (kind: 'grid' | 'zip' | 'tune') =>
    Object.fromEntries(
      Object.entries(settings[kind] ?? {}).map(([axis, values]) => [
        axis,
        take(
          [kind, axis],
          axis === 'slice' ? (values as SliceSpec[]).map(plainSlice) : (values as unknown[]),
          [],
        ),
      ]),
    );
  const cores = availableParallelism();
  const threads = take<number | 'auto'>(['threads'], settings.threads, 'auto', overrides.threads);
  const fitting = threads === 'auto' ? cores : Math.max(1, Math.floor(cores / threads));
  const sections: Record<string, unknown> = settings;
  const points = (kind: 'list' | 'exclude') =>
    settings[kind] === undefined
      ? []
      : take([kind], settings[kind].map((entry) => plainPoint(entry)) as Point[], []);
  return {
    name,
    file: source.file,
    text: source.text,
    data,
    slices,
    seeds,
    model,
    training,
    evaluation,
    split: split === 'leave-one-out' ? undefined : split,
    grid: axes('grid'),
    zip: axes('zip'),
    tune: axes('tune'),
    list: points('list'),
    exclude: points('exclude'),
    budget: take(['budget'], settings.budget, {}),
    halving: settings.halving && take(['halving'], settings.halving, settings.halving),
    goal: settings.goal && take(['goal'], settings.goal, settings.goal),
    limits: take(['limits'], settings.limits, {}),
    launchers: Object.fromEntries(
      LAUNCHER_NAMES.filter((name) => launcherKind(name).section).map((name) => [
        name,
        take([name], sections[name] as Record<string, unknown> | undefined, {}),
      ]),
    ),
    backend: take(['backend'], settings.backend as string | undefined, 'auto', overrides.backend),
    workers: take(['workers'], settings.workers, fitting, overrides.workers),
    threads,
    cores,
    keepWeights: take(['keepWeights'], settings.keepWeights, true),
    given,
    lines,
    placeOf: source.placeOf,
  };
}

/** A file's path is meant from the sweep file's folder where it exists there, else from the current one. */
function dataReference(data: DatasetReference, file: string): DatasetReference {
  if (typeof data !== 'string' || isAbsolute(data) || !/[\\/.]/.test(data)) return data;
  const beside = resolvePath(dirname(file), data);
  return existsSync(beside) ? beside : data;
}

function plainPoint(entry: object): Point {
  const fix = (value: unknown) =>
    Array.isArray(value) ? value.map((v) => plainSlice(v)) : plainSlice(value as SliceSpec);
  return Object.fromEntries(
    Object.entries(entry).map(([axis, value]) => [axis, axis === 'slice' ? fix(value) : value]),
  );
}
