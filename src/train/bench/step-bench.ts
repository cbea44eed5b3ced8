/** A training step of a model on drawn histories, for benchmarks: the same code that trains, without data and files. */
import * as tf from '@tensorflow/tfjs';
import { lateScalars } from '../../kernels/late.js';
import { DEFAULT_MODEL, defaultLoss, type ModelConfig } from '../../model/config.js';
import { createModel } from '../../model/model.js';
import { type FlopOptions, trainingFlopsPerToken } from '../../model/size.js';
import { createRandom } from '../../util/random.js';
import { resolveTrial } from '../check.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING, type TrainingConfig, type TrialConfig } from '../config.js';
import type { TrainingBatch } from '../step/batches.js';
import { createLoss } from '../step/loss.js';
import { createOptimizer } from '../step/optimizer.js';
import { type Trained, trainStep } from '../step/step.js';

/** Shape of a benchmark: items as MovieLens 1M has them unless said otherwise. */
export interface BenchShape {
  model: Partial<ModelConfig> & Pick<ModelConfig, 'name'>;
  /** Loss, optimiser and the like, where they are not the usual ones. */
  training?: TrainingConfig;
  rows: number;
  items: number;
  /** The open backend. */
  backend: string;
}

export interface StepBench extends Trained {
  config: TrialConfig;
  batch: TrainingBatch;
  /** Positions of a batch. */
  tokens: number;
  /** Operations of a step, by model/size.ts. */
  flops: number;
  /** One step, as a training does it. */
  run(): Promise<void>;
  /** One step, and no look at what comes back. */
  record(): void;
  /** Waits until everything is done; the last loss. */
  finish(): Promise<number>;
  dispose(): void;
}

/** Histories in a row of the batch: short ones share it, as in training. */
const HISTORIES = 2;

/** Draws the batch and the weights, on the open backend. */
export async function createStepBench({
  model: settings,
  training,
  rows,
  items,
  backend,
}: BenchShape): Promise<StepBench> {
  const loss = training?.loss ?? defaultLoss(settings.name);
  const config = resolveTrial({
    data: { name: 'bench', hash: '' },
    slice: {},
    model: { ...DEFAULT_MODEL, ...settings },
    training: { ...DEFAULT_TRAINING, ...training, rows, loss },
    evaluation: DEFAULT_EVALUATION,
    seed: 1,
    backend,
  } as TrialConfig);
  const length = config.model.maxLength;
  const random = createRandom('bench', settings.name);
  const size = rows * length;
  const history = Math.ceil(length / HISTORIES);
  const draw = () => Int32Array.from({ length: size }, () => 1 + random.int(items));
  const next = draw();
  const batch: TrainingBatch = {
    rows,
    length,
    items: draw(),
    reset: Int32Array.from({ length: size }, (_, p) => ((p % length) % history === 0 ? 1 : 0)),
    timestamps: Float64Array.from({ length: size }, (_, p) => 1e9 + 3600 * p + random.int(3600)),
    targets:
      loss === 'all'
        ? next
        : next.map((item, p) =>
            ((p % length) + 1) % history === 0 || p % length === length - 1 ? item : -1,
          ),
    tokens: size,
    predicted: size,
  };
  const model = createModel(config.model, items, 1);
  const optimizer = createOptimizer(model.weights, config.training, config.model.dim);
  const trained = {
    model,
    optimizer,
    loss: createLoss(config, model, {
      users: Int32Array.of(),
      offsets: Int32Array.of(0),
      items: Int32Array.of(),
      timestamps: null,
    }),
  };
  const predicting = batch.targets.filter((target) => target >= 0).length / size;
  const options: FlopOptions = { loss, predicting, negatives: training?.negatives };
  let step = 0;
  let last = Number.NaN;
  const losses = await lateScalars();
  const record = () =>
    trainStep(trained, batch, { step: step++, totalSteps: 1e6, dropoutSeed: step }, losses);
  const keep = (values: readonly number[]) => {
    last = values.at(-1) ?? last;
  };
  return {
    ...trained,
    config,
    batch,
    tokens: size,
    flops: size * trainingFlopsPerToken(config.model, items, options),
    record,
    async run() {
      record();
      keep(await losses.arrived());
    },
    async finish() {
      keep(await losses.all());
      // The optimiser's step lies behind the loss.
      tf.tidy(() => void tf.slice(tf.reshape(model.weights.list()[0]!, [-1]), 0, 1).dataSync());
      return last;
    },
    dispose() {
      losses.dispose();
      model.weights.dispose();
      optimizer.dispose();
    },
  };
}
