/**
 * The folder of a single training (`perflaw train --out`): whose files lie there, whether they are its own, and whether it
 * is finished. Nothing of another training is replaced unless somebody says so.
 */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decodeSafetensors } from '../model/files/safetensors.js';
import { fileError, UserError } from '../util/errors.js';
import { readRegular, readRegularBytes } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import { leaves } from '../util/leaves.js';
import { CHECKPOINT_FILE, type TrainingState } from './checkpoint.js';
import type { TrialConfig } from './config.js';
import type { RankingMetrics, TrainingResult } from './result.js';
import { identity } from './resume.js';
import { CARD_FILE, WEIGHTS_FILE } from './weights-card.js';

export const RESULT_FILE = 'result.json';

/** What `RESULT_FILE` holds. */
export interface FinishedRun {
  config: TrialConfig;
  popularity: { validation: RankingMetrics; test: RankingMetrics };
  result: TrainingResult;
}

/**
 * Says before any work is done that a file stands where the folder is meant to be; makes nothing.
 * @throws UserError
 */
export function refuseFile(folder: string): void {
  let at = folder;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  if (!statSync(at).isDirectory())
    throw new UserError('this is a file, and a folder is needed', {
      place: at,
      remedy: 'Choose another folder: --out FOLDER.',
    });
}

/**
 * Looks at what lies in the folder. With `overwrite` only an unfinished training of this configuration counts, and goes on.
 * @returns the finished training of this very configuration, if it lies there.
 * @throws UserError for files of another training, or of nobody knows what, where they would be replaced.
 */
export function findFinished(
  folder: string,
  config: TrialConfig,
  overwrite: boolean,
): FinishedRun | undefined {
  if (overwrite) return undefined;
  for (const [file, read] of OWNERS) {
    const path = join(folder, file);
    if (existsSync(path)) refuseOther(path, file, read(path), config);
  }
  const finished = finishedOf(join(folder, RESULT_FILE));
  if (!finished) refuseOtherCheckpoint(join(folder, CHECKPOINT_FILE), config);
  return finished;
}

/** What is wrong with the weights beside a finished result; undefined when they are its own. */
export function weightsFault(folder: string, { result }: FinishedRun): string | undefined {
  const path = join(folder, WEIGHTS_FILE);
  if (!existsSync(path)) return `${path} is not there any more`;
  return sha256(readRegularBytes(path)) === result.weights?.sha256
    ? undefined
    : `${path} is not what was written with the result`;
}

/** The checkpoint in a folder, and how far it has come. */
export function checkpointAt(folder: string): { path: string; epoch: number; step: number } | undefined {
  const path = join(folder, CHECKPOINT_FILE);
  const state = existsSync(path) ? parsed(metadataOf(path)['state']) : undefined;
  return state ? { path, ...(state as Pick<TrainingState, 'epoch' | 'step'>) } : undefined;
}

/** The configuration that a file belongs to, by the file's name; undefined where it names none. */
const OWNERS: [string, (path: string) => unknown][] = [
  [RESULT_FILE, (path) => finishedOf(path)?.config],
  [CARD_FILE, (path) => (jsonOf(path) as { trial?: unknown } | undefined)?.trial],
  [WEIGHTS_FILE, (path) => parsed(metadataOf(path)['config'])],
];

/** Undefined where there is none, or something else under its name. */
function finishedOf(path: string): FinishedRun | undefined {
  const found = existsSync(path) ? (jsonOf(path) as Partial<FinishedRun> | undefined) : undefined;
  return found?.config && found.popularity?.test && found.result?.test ? (found as FinishedRun) : undefined;
}

/** Undefined where the file is no JSON object. */
function jsonOf(path: string): object | undefined {
  let text: string;
  try {
    text = readRegular(path);
  } catch (error) {
    throw fileError(error, path, 'read this file');
  }
  const value = parsed(text);
  return typeof value === 'object' && value !== null ? value : undefined;
}

/** Empty where the file is no whole safetensors file. */
function metadataOf(path: string): Record<string, string> {
  try {
    return decodeSafetensors(readRegularBytes(path), path).metadata;
  } catch (error) {
    if (error instanceof UserError) return {};
    throw fileError(error, path, 'read this file');
  }
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const REMEDY = 'Choose another folder (--out FOLDER), or add --overwrite to replace what lies there.';

function refuseOther(path: string, file: string, owner: unknown, config: TrialConfig): void {
  if (typeof owner !== 'object' || owner === null)
    throw new UserError(`a ${file} lies here that is not of a training of perflaw's`, {
      place: path,
      remedy: REMEDY,
    });
  const other = differences(owner, config);
  if (other.length > 0)
    throw new UserError(`here lies the result of another training: ${shown(other)}`, {
      place: path,
      remedy: REMEDY,
    });
}

/** A damaged checkpoint is moved aside where it is read, and nothing of it is lost. */
function refuseOtherCheckpoint(path: string, config: TrialConfig): void {
  if (!existsSync(path)) return;
  const { identity: owner, config: text } = metadataOf(path);
  if (owner === undefined || owner === identity(config)) return;
  const of = parsed(text);
  const other = of ? differences(of, config) : [];
  const what =
    other.length > 0
      ? `another training: ${shown(other)}`
      : of
        ? 'another version of perflaw, or of a processor with other instructions'
        : 'another training';
  throw new UserError(`here lies the checkpoint of ${what}`, {
    place: path,
    remedy: `${REMEDY} With its own settings it goes on.`,
  });
}

/** Settings with other values, as `NAME is A there and B here`; the data count by their content. */
function differences(there: object, here: TrialConfig): string[] {
  const [a, b] = [leaves(there), leaves(here)];
  if (a.get('data.hash') === b.get('data.hash')) for (const one of [a, b]) one.delete('data.name');
  else
    for (const one of [a, b])
      one.set('data', `${one.get('data.name')} (${one.get('data.hash')?.slice(0, 10)})`);
  for (const one of [a, b])
    if (one.has('data')) for (const name of ['name', 'hash']) one.delete(`data.${name}`);
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((path) => a.get(path) !== b.get(path))
    .map(
      (path) =>
        `${path === 'model.name' ? 'model' : path.split('.').at(-1)} is ${a.get(path) ?? 'not set'} there and ${b.get(path) ?? 'not set'} here`,
    );
}

const MOST = 4;

function shown(differences: readonly string[]): string {
  const more = differences.length - MOST;
  return differences.slice(0, MOST).join(', ') + (more > 0 ? `, and ${more} more` : '');
}
