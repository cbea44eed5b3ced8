/**
 * Checkpoints: everything a training needs to go on as if it had never stopped (weights, moments, best weights so far,
 * position, curve), in one safetensors file written by rename. Random streams need no state: each is a function of the
 * seed and of the epoch or step.
 */
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../model/files/safetensors.js';
import { fileError, UserError } from '../util/errors.js';
import { writeAtomic } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import type { EpochRecord, RankingMetrics, StepRecord } from './result.js';

const SCHEMA = '2';
export const CHECKPOINT_FILE = 'checkpoint.safetensors';

/** Position and history of a training, beside its tensors. */
export interface TrainingState {
  /** Current epoch, from 1, and steps of it that are done. */
  epoch: number;
  stepInEpoch: number;
  /** Steps done in all. */
  step: number;
  /** Sum of the losses of this epoch times the positions they are means of, and those positions. */
  lossSum: number;
  predicted: number;
  /** Real tokens of this epoch. */
  epochTokens: number;
  tokensSeen: number;
  curve: EpochRecord[];
  best: { epoch: number; step?: number; value: number; validation: RankingMetrics } | null;
  /** Evaluations within the current epoch; absent where there were none. */
  within?: StepRecord[];
  /** Evaluations since the best one. */
  stale: number;
  /** `cores`: those of training and evaluation times the threads they ran on; absent as long as there was one. */
  seconds: { training: number; evaluation: number; epoch: number; cores?: number };
}

export interface Checkpoint {
  state: TrainingState;
  /** `w/NAME`, `m/NAME`, `v/NAME`, and `best/NAME` once there is a best. */
  tensors: Map<string, Float32Array>;
}

/** @param identity of the configuration that the checkpoint belongs to. @param config the same in full, for messages. */
export function writeCheckpoint(
  folder: string,
  identity: string,
  { state, tensors }: Checkpoint,
  config: object,
): void {
  const stored = new Map<string, StoredTensor>();
  for (const [name, values] of tensors) stored.set(name, { shape: [values.length], values });
  const text = JSON.stringify(state);
  const digest = digestOf(text, tensors);
  const metadata = { schema: SCHEMA, identity, digest, state: text, config: JSON.stringify(config) };
  writeAtomic(checkpointPath(folder), encodeSafetensors({ tensors: stored, metadata }));
}

/**
 * Reads the checkpoint of a configuration. A damaged one, or one that somebody else made up, cannot be used and must not stand in the way for ever: it is moved
 * aside as `checkpoint.damaged`, `onNote` is told, and the training starts from its beginning.
 * @param sizes number of values of each of the model's weights.
 * @returns undefined when there is none, when it belongs to another configuration, or when it was damaged.
 * @throws UserError when the file cannot be read or moved.
 */
export function readCheckpoint(
  folder: string,
  identity: string,
  sizes: ReadonlyMap<string, number>,
  onNote: (note: string) => void = () => {},
): Checkpoint | undefined {
  const path = checkpointPath(folder);
  if (!existsSync(path)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this checkpoint');
  }
  try {
    return decode(bytes, path, identity, sizes);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const aside = join(folder, 'checkpoint.damaged');
    try {
      renameSync(path, aside);
    } catch (cause) {
      throw fileError(cause, path, 'move this damaged checkpoint aside');
    }
    onNote(`${path}: ${why}. It was moved to ${aside}; training starts from its beginning.`);
    return undefined;
  }
}

/** @throws Error when the bytes are not what was written, or do not fit the model. */
function decode(
  bytes: Uint8Array,
  path: string,
  identity: string,
  sizes: ReadonlyMap<string, number>,
): Checkpoint | undefined {
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  if (metadata['schema'] !== SCHEMA || metadata['identity'] !== identity) return undefined;
  const values = new Map([...tensors].map(([name, tensor]) => [name, tensor.values]));
  const text = metadata['state'] ?? '';
  if (digestOf(text, values) !== metadata['digest'])
    throw new UserError('this checkpoint is damaged: its content does not match its checksum');
  const state = JSON.parse(text) as TrainingState;
  const fault = stateFault(state) ?? tensorFault(values, sizes, state.best !== null);
  if (fault) throw new UserError(`this checkpoint cannot be one of this training: ${fault}`);
  return { state, tensors: values };
}

const COUNTS = ['epoch', 'stepInEpoch', 'step', 'predicted', 'epochTokens', 'tokensSeen', 'stale'] as const;

/** A checksum proves that nothing was lost, not that the writer meant well. */
function stateFault(state: TrainingState): string | undefined {
  if (typeof state !== 'object' || state === null) return 'it has no position';
  for (const name of COUNTS)
    if (!Number.isSafeInteger(state[name]) || state[name] < 0) return `its ${name} is no count`;
  const { lossSum, seconds, curve, best, epoch } = state;
  const numbers = [lossSum, seconds?.training, seconds?.evaluation, seconds?.epoch, seconds?.cores ?? 0];
  if (!numbers.every(Number.isFinite)) return 'a sum of it is no number';
  if (!Array.isArray(curve) || curve.length !== epoch - 1 || !curve.every((e) => Number.isFinite(e?.loss)))
    return 'its curve does not reach its epoch';
  const { within = [] } = state;
  if (!Array.isArray(within) || !within.every((e) => e?.validation && e.step <= state.step))
    return 'its evaluations within the epoch do not fit its step';
  // A best one within the epoch that is being trained was evaluated in it.
  const known =
    best && (best.epoch < epoch || (best.epoch === epoch && within.some((e) => e.step === best.step)));
  if (best !== null && !(Number.isFinite(best?.value) && known && best.validation))
    return 'its best epoch has no value';
  return undefined;
}

function tensorFault(
  tensors: ReadonlyMap<string, Float32Array>,
  sizes: ReadonlyMap<string, number>,
  best: boolean,
): string | undefined {
  for (const part of ['w', 'm', 'v', ...(best ? ['best'] : [])])
    for (const [name, size] of sizes) {
      const values = tensors.get(`${part}/${name}`);
      if (values?.length !== size)
        return `${part}/${name} has ${values?.length ?? 'no'} values, the model needs ${size}`;
      if (!values.every(Number.isFinite)) return `${part}/${name} holds values that are no numbers`;
    }
  return undefined;
}

function digestOf(text: string, tensors: ReadonlyMap<string, Float32Array>): string {
  return sha256(
    text,
    ...[...tensors.values()].map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength)),
  );
}

export function removeCheckpoint(folder: string): void {
  rmSync(checkpointPath(folder), { force: true });
}

function checkpointPath(folder: string): string {
  return join(folder, CHECKPOINT_FILE);
}
