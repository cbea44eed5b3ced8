/** Puts a running training into its checkpoint and takes it out again, so that it goes on with the same bits. */
import { simdVariant } from '../kernels/backend.js';
import type { SequenceModel } from '../model/model.js';
import { shortHash } from '../util/hash.js';
import { readCheckpoint, removeCheckpoint, type TrainingState, writeCheckpoint } from './checkpoint.js';
import type { TrialConfig } from './config.js';
import { NotANumberError, type TrainingHooks } from './hooks.js';
import type { Optimizer } from './step/optimizer.js';
import { NUMERIC_VERSION, versionOf } from './version.js';

/** What changes while a training runs, and what its checkpoint belongs to. */
export interface ResumableTraining {
  config: TrialConfig;
  model: SequenceModel;
  optimizer: Optimizer;
  state: TrainingState;
  bestWeights: Map<string, Float32Array> | undefined;
  hooks: TrainingHooks;
}

/** What a checkpoint belongs to: all that decides the numbers (the data's name does not). */
export function identity(config: TrialConfig): string {
  return shortHash({
    config: { ...config, data: config.data.hash },
    simd: simdVariant(),
    version: versionOf(config, NUMERIC_VERSION),
  });
}

/**
 * Every weight must be a finite number: a step with a finite loss can still end in one that is not.
 * @throws NotANumberError otherwise.
 */
export function checkFinite(run: Pick<ResumableTraining, 'config' | 'model' | 'state'>): void {
  refuseNotFinite(run.model.weights.read(), run);
}

function refuseNotFinite(
  tensors: ReadonlyMap<string, Float32Array>,
  { state: { epoch, step }, config: { training } }: Pick<ResumableTraining, 'config' | 'state'>,
): void {
  for (const [name, values] of tensors) {
    let sum = 0; // 0 as long as every value is finite
    for (let i = 0; i < values.length; i++) sum += values[i]! * 0;
    if (sum !== 0)
      throw new NotANumberError(epoch, step, `'${name}' holds a value that is not a finite number`, training);
  }
}

/**
 * Writes the checkpoint, where the training has a folder for one.
 * @throws NotANumberError when something in it is not a finite number; the one that lies there stays as it is.
 */
export function saveTraining({
  config,
  state,
  model,
  optimizer,
  bestWeights,
  hooks,
}: ResumableTraining): void {
  if (!hooks.checkpointDir) return;
  const tensors = new Map(optimizer.read());
  for (const [name, values] of model.weights.read()) tensors.set(`w/${name}`, values);
  refuseNotFinite(tensors, { config, state });
  for (const [name, values] of bestWeights ?? []) tensors.set(`best/${name}`, values);
  writeCheckpoint(hooks.checkpointDir, identity(config), { state, tensors }, config);
}

/**
 * Goes on from the checkpoint, if there is one of this configuration; another one is removed.
 * @throws UserError when its file cannot be read, or is damaged and cannot be moved aside.
 */
export function restoreTraining(run: ResumableTraining): void {
  const { config, model, optimizer, hooks } = run;
  if (!hooks.checkpointDir) return;
  const sizes = new Map(
    [...model.weights.shapes()].map(([name, shape]) => [name, shape.reduce((a, b) => a * b, 1)]),
  );
  const checkpoint = readCheckpoint(hooks.checkpointDir, identity(config), sizes, hooks.onNote);
  if (!checkpoint) {
    removeCheckpoint(hooks.checkpointDir);
    return;
  }
  const part = (prefix: string) =>
    new Map(
      [...checkpoint.tensors]
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, values]) => [name.slice(prefix.length), values]),
    );
  model.weights.write(part('w/'));
  optimizer.write(checkpoint.tensors);
  if (checkpoint.state.best) run.bestWeights = part('best/');
  run.state = checkpoint.state;
}
