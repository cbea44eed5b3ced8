/**
 * Checkpoints: everything a training needs to go on as if it had never stopped (weights, moments, best weights so far,
 * position, curve), in one safetensors file written by rename. Random streams need no state: each is a function of the
 * seed and of the epoch or step.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from '../model/safetensors.js';
import { fileError, UserError } from '../util/errors.js';
import { writeAtomic } from '../util/files.js';
import { sha256 } from '../util/hash.js';
import type { EpochRecord, RankingMetrics } from './result.js';

const SCHEMA = '1';

/** Position and history of a training, beside its tensors. */
export interface TrainingState {
  /** Current epoch, from 1, and steps of it that are done. */
  epoch: number;
  stepInEpoch: number;
  /** Steps done in all. */
  step: number;
  /** Sum of the losses of this epoch times their tokens, and those tokens. */
  lossSum: number;
  lossTokens: number;
  tokensSeen: number;
  curve: EpochRecord[];
  best: { epoch: number; value: number; validation: RankingMetrics } | null;
  /** Evaluations since the best one. */
  stale: number;
  seconds: { training: number; evaluation: number; epoch: number };
}

export interface Checkpoint {
  state: TrainingState;
  /** `w/NAME`, `m/NAME`, `v/NAME`, and `best/NAME` once there is a best. */
  tensors: Map<string, Float32Array>;
}

/** @param identity of the configuration that the checkpoint belongs to. */
export function writeCheckpoint(folder: string, identity: string, { state, tensors }: Checkpoint): void {
  const stored = new Map<string, StoredTensor>();
  for (const [name, values] of tensors) stored.set(name, { shape: [values.length], values });
  const text = JSON.stringify(state);
  const digest = sha256(
    text,
    ...[...tensors.values()].map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength)),
  );
  const metadata = { schema: SCHEMA, identity, digest, state: text };
  writeAtomic(checkpointPath(folder), encodeSafetensors({ tensors: stored, metadata }));
}

/**
 * @returns undefined when there is none, or when it belongs to another configuration.
 * @throws UserError when the file is damaged.
 */
export function readCheckpoint(folder: string, identity: string): Checkpoint | undefined {
  const path = checkpointPath(folder);
  if (!existsSync(path)) return undefined;
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this checkpoint');
  }
  const { tensors, metadata } = decodeSafetensors(bytes, path);
  if (metadata['schema'] !== SCHEMA || metadata['identity'] !== identity) return undefined;
  const values = new Map([...tensors].map(([name, tensor]) => [name, tensor.values]));
  const text = metadata['state'] ?? '';
  const digest = sha256(
    text,
    ...[...values.values()].map((v) => new Uint8Array(v.buffer, v.byteOffset, v.byteLength)),
  );
  if (digest !== metadata['digest'])
    throw new UserError('this checkpoint is damaged: its content does not match its checksum', {
      place: path,
      remedy: 'Remove it; the trial then starts again from its beginning.',
    });
  return { state: JSON.parse(text) as TrainingState, tensors: values };
}

export function removeCheckpoint(folder: string): void {
  rmSync(checkpointPath(folder), { force: true });
}

function checkpointPath(folder: string): string {
  return join(folder, 'checkpoint.safetensors');
}
