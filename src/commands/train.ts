/** `perflaw train`: one model on one data set, straight from a file. */
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { DEFAULT_MODEL, type ModelConfig } from '../model/config.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING, type TrialConfig } from '../train/config.js';
import type { EpochRecord, RankingMetrics, TrainingResult } from '../train/result.js';
import { ExitCode } from '../util/errors.js';
import { writeJson } from '../util/files.js';
import { formatBytes, formatCount, formatDuration, formatTable } from '../util/format.js';
import { type Arguments, note, print, printJson } from './command.js';
import { addImportOptions, importArguments } from './import-options.js';

export function options(yargs: Argv): Argv {
  return addImportOptions(yargs)
    .option('data', { type: 'string', default: 'synthetic', description: 'File, or name of a data set' })
    .option('model', { choices: ['mamba4rec'], default: DEFAULT_MODEL.name, description: 'Model' })
    .option('dim', { type: 'number', default: DEFAULT_MODEL.dim, description: 'Hidden size' })
    .option('layers', { type: 'number', default: DEFAULT_MODEL.layers, description: 'Layers' })
    .option('d-state', { type: 'number', default: DEFAULT_MODEL.dState, description: 'States a channel' })
    .option('max-length', {
      type: 'number',
      default: DEFAULT_MODEL.maxLength,
      description: 'Longest history, items',
    })
    .option('dropout', { type: 'number', default: DEFAULT_MODEL.dropout, description: 'Dropout rate' })
    .option('init', {
      choices: ['mamba', 'mamba4rec'],
      default: DEFAULT_MODEL.init,
      description: 'Initial values',
    })
    .option('epochs', { type: 'number', default: DEFAULT_TRAINING.epochs, description: 'Epochs at most' })
    .option('patience', {
      type: 'number',
      default: DEFAULT_TRAINING.patience,
      description: 'Epochs without a better validation metric before stopping; 0: never',
    })
    .option('rows', { type: 'number', default: DEFAULT_TRAINING.rows, description: 'Packed rows a step' })
    .option('learning-rate', {
      type: 'number',
      default: DEFAULT_TRAINING.learningRate,
      description: 'Learning rate',
    })
    .option('schedule', {
      choices: ['constant', 'cosine'],
      default: DEFAULT_TRAINING.schedule,
      description: 'Schedule',
    })
    .option('warmup', { type: 'number', default: DEFAULT_TRAINING.warmup, description: 'Steps of warm-up' })
    .option('weight-decay', {
      type: 'number',
      default: DEFAULT_TRAINING.weightDecay,
      description: 'Decoupled decay',
    })
    .option('clip-norm', {
      type: 'number',
      default: DEFAULT_TRAINING.clipNorm,
      description: 'Gradient norm; 0: off',
    })
    .option('loss', {
      choices: ['all', 'last'],
      default: DEFAULT_TRAINING.loss,
      description: 'Positions that predict',
    })
    .option('history', {
      choices: ['masked', 'unmasked'],
      default: DEFAULT_EVALUATION.history,
      description: 'Ranking that selects: without or with the items already seen',
    })
    .option('seed', { type: 'number', default: 1, description: 'Seed of weights, order and dropout' })
    .option('backend', {
      type: 'string',
      default: 'auto',
      description: 'auto, wasm, composed, cpu or tensorflow',
    })
    .option('out', {
      type: 'string',
      description: 'Folder for checkpoint, weights and result; run again to resume',
    })
    .example('$0 train --data ratings.csv --dim 64 --epochs 10', 'Columns are guessed from their names');
}

export async function run(args: Arguments): Promise<number> {
  const { openDataset } = await import('../data/dataset.js');
  const { openBackend } = await import('../kernels/backend.js');
  const { popularityBaseline } = await import('../train/baseline.js');
  const { TrainingInterrupted } = await import('../train/hooks.js');
  const { trainModel } = await import('../train/trainer.js');
  const text = (name: string) => args[name] as string | undefined;
  const data = await openDataset(text('data')!, { ...importArguments(args), onNote: note });
  const backend = await openBackend(text('backend')!);
  const config = configOf(args, { name: data.name, hash: data.hash }, backend);
  const say = args.json ? note : print;
  say(`${data.name}: ${data.numUsers} users, ${data.numItems} items, ${data.items.length} interactions`);
  const popularity = popularityBaseline(data, config.slice, config.evaluation);
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  const out = text('out') && resolve(text('out')!);
  try {
    const result = await trainModel(config, data, {
      ...(out ? { checkpointDir: out, weightsPath: join(out, 'weights.safetensors') } : {}),
      signal: stop.signal,
      onProgress: ({ finished }) => finished && say(epochLine(finished, config)),
    });
    if (out) writeJson(join(out, 'result.json'), { config, popularity, result });
    if (args.json) printJson({ config, popularity, result });
    else printResult(config, result, popularity);
    return ExitCode.ok;
  } catch (error) {
    if (!(error instanceof TrainingInterrupted)) throw error;
    note(
      out
        ? `Interrupted. The same command goes on from ${out}.`
        : 'Interrupted. Nothing is kept without --out.',
    );
    return ExitCode.interrupted;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function configOf(args: Arguments, data: TrialConfig['data'], backend: string): TrialConfig {
  const number = (name: string) => args[name] as number;
  const model: ModelConfig = {
    ...DEFAULT_MODEL,
    name: args['model'] as ModelConfig['name'],
    dim: number('dim'),
    layers: number('layers'),
    dState: number('d-state'),
    maxLength: number('max-length'),
    dropout: number('dropout'),
    init: args['init'] as ModelConfig['init'],
  };
  return {
    data,
    slice: { users: 1 },
    model,
    training: {
      ...DEFAULT_TRAINING,
      epochs: number('epochs'),
      patience: number('patience'),
      rows: number('rows'),
      loss: args['loss'] as 'all' | 'last',
      learningRate: number('learning-rate'),
      schedule: args['schedule'] as 'constant' | 'cosine',
      warmup: number('warmup'),
      weightDecay: number('weight-decay'),
      clipNorm: number('clip-norm'),
    },
    evaluation: { ...DEFAULT_EVALUATION, history: args['history'] as 'masked' | 'unmasked' },
    seed: number('seed'),
    backend,
  };
}

function epochLine(
  { epoch, loss, seconds, tokensPerSecond, validation }: EpochRecord,
  config: TrialConfig,
): string {
  const select = config.evaluation.select;
  const values = validation
    ? `  validation ${select} ${format(validation.masked[select])} masked, ${format(validation.unmasked[select])} unmasked`
    : '';
  return `epoch ${epoch}/${config.training.epochs}  loss ${loss.toFixed(4)}${values}  ${formatDuration(seconds)}, ${formatCount(tokensPerSecond)} tokens/s`;
}

function format(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(4);
}

function printResult(
  config: TrialConfig,
  result: TrainingResult,
  popularity: { validation: RankingMetrics; test: RankingMetrics },
): void {
  const { parameters, bestEpoch, tokensPerSecond, seconds, peakMemoryBytes } = result;
  print(
    `\n${config.model.name}, ${formatCount(parameters.total)} parameters, best epoch ${bestEpoch} (on validation)`,
  );
  const names = Object.keys(result.test.masked);
  const row = (label: string, values: RankingMetrics, mode: 'masked' | 'unmasked') => [
    label,
    mode,
    ...names.map((name) => format(values[mode][name])),
  ];
  const rows = (['masked', 'unmasked'] as const).flatMap((mode) => [
    row('validation', result.validation, mode),
    row('test', result.test, mode),
    row('popularity, test', popularity.test, mode),
  ]);
  print(formatTable(['', 'history', ...names], rows));
  print(
    `\n${formatCount(tokensPerSecond)} tokens/s, ${formatDuration(seconds.training)} of training, ${formatDuration(seconds.evaluation)} of evaluation, peak memory ${formatBytes(peakMemoryBytes)}`,
  );
}
