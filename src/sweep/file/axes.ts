/** The fields of a sweep file that an axis may take, each with its check and its words: `perflaw train` has the same ones. */
import { z } from 'zod';
import { BACKENDS as KNOWN_BACKENDS } from '../../kernels/choose.js';
import { MODEL_NAMES, type ModelName } from '../../model/config.js';
import { choice, named, real, whole } from '../../util/fields.js';

export const BACKENDS = ['auto', ...KNOWN_BACKENDS] as const;

/** Fields of `model:` that are axes too; the model's name itself is the axis `model`. */
export const modelFields = {
  dim: whole({ min: 1, max: 65_536 }, 'Hidden and embedding size d'),
  layers: whole({ min: 1, max: 1024 }, 'Layers H'),
  dState: whole({ min: 1, max: 4096 }, 'States a channel N'),
  dConv: whole({ min: 1, max: 64 }, 'Width of the causal convolution k'),
  expand: real({ above: 0, max: 64 }, 'Inner width over hidden size'),
  headDim: whole({ min: 1, max: 4096 }, 'Channels a head (Mamba-2 models: tim4rec, ssd4rec)'),
  maxLength: whole({ min: 2, max: 1_000_000 }, 'Longest history the model looks at, in items'),
  dropout: real({ min: 0, below: 1 }, 'Dropout share'),
  init: choice(
    ['mamba', 'mamba4rec'],
    "Initial values: the library's, or those of the paper's released code",
  ),
  residual: choice(
    ['published', 'always'],
    'mamba4rec, tim4rec: a model of one layer has no residual around its block (published) or has it as deeper ones do (always); published, and always in a sweep over layers from 1 up',
  ),
  time: choice(
    ['paper', 'masked', 'causal', 'none'],
    'tim4rec: how it sees time; causal with loss all and masked with loss last where left out; none: not at all',
  ),
  timeGate: choice(['one', 'position'], 'tim4rec: gates of the time signal, one a history or one a position'),
  timeDropout: real({ min: 0, below: 1 }, 'tim4rec: dropout inside its time path; dropout where left out'),
  convInit: choice(
    ['uniform', 'kaiming'],
    "tim4rec: initial values of the convolutions, PyTorch's or the released code's on ML-1M (uniform)",
  ),
  beta: real({ min: 0, max: 10 }, 'ssd4rec: weight of the reversed direction (0.1)'),
  reverseOutput: choice(
    ['released', 'aligned'],
    "ssd4rec: the reversed direction's output as it comes, or turned back (released)",
  ),
  hiddenShare: real({ min: 0, below: 1 }, 'ssd4rec: share of items hidden in training (0.1)'),
  embeddingNorm: choice(['on', 'off'], 'ssd4rec: dropout and LayerNorm after the embedding (on)'),
};

/** One rate whatever the size. */
export const plainRate = real({ above: 0, max: 10 }, 'Step size of Adam');

/** A rate that follows the width (train/rate.ts). */
const widthRate = z.strictObject(
  {
    base: real({ above: 0, max: 10 }, 'The rate at this dim'),
    dim: whole({ min: 1, max: 65_536 }, 'Where the rate is base'),
    power: real({ min: -4, max: 4 }, 'Power of d / dim (-1)').default(-1),
    parts: choice(
      ['all', 'hidden'],
      'Whose rate follows: all weights (the default), or in the manner of muP the hidden matrices alone',
    ).default('all'),
  },
  { error: named('a rate that follows the width such as {base: 1e-3, dim: 64, power: -1}') },
);

export const trainingFields = {
  epochs: whole({ min: 1, max: 1_000_000 }, 'Most epochs'),
  patience: whole(
    { min: 0 },
    'Evaluations without a better selection metric before training stops; 0: never',
  ),
  rows: whole({ min: 1 }, 'Packed rows of maxLength tokens a step'),
  loss: choice(
    ['all', 'last'],
    'all: every position predicts its next item; last: the last position of a prefix',
  ),
  prefixes: z
    .union([z.enum(['every', 'random']), whole({ min: 1, max: 1_000_000 }, '')], {
      error: () => 'expected every, random, or a whole number of prefixes from 1',
    })
    .meta({
      description:
        'With loss last: every prefix of a history an example (published, and the default of mamba4rec), or in each epoch one random, or so many different ones (16 for the other models)',
    }),
  negatives: whole(
    { min: 0, max: 100_000_000 },
    'Items sampled a step for the cross-entropy, with logQ correction; 0: all items (the default)',
  ),
  proposal: choice(
    ['uniform', 'popularity'],
    'How negatives are sampled: each item alike, or by its count in the training histories (the default)',
  ),
  learningRate: z
    .union([plainRate, widthRate], {
      error: () =>
        'expected a number above 0 up to 10, or a rate that follows the width such as {base: 1e-3, dim: 64}',
    })
    .meta({
      description: 'Step size of Adam: a number, or one that follows the width, base * (d / dim)^power',
    }),
  schedule: choice(['constant', 'cosine'], 'After the warm-up: held, or lowered along half a cosine'),
  warmup: whole({ min: 0 }, 'Steps of linear warm-up'),
  weightDecay: real({ min: 0 }, 'Decoupled weight decay; A_log, D, biases and norms are left alone'),
  clipNorm: real({ min: 0 }, 'Global gradient norm above which gradients are scaled down; 0: never'),
  evaluateEvery: whole({ min: 1 }, 'Epochs between evaluations'),
  evaluateSteps: whole({ min: 1 }, 'Optimiser steps between further evaluations, within epochs too'),
};

/** How many users are evaluated. */
export const evaluatedFields = {
  users: whole(
    { min: 2 },
    'Users that are evaluated: a fixed sample of so many, the same in every trial; all where absent',
  ),
  testUsers: z
    .union([z.literal('all'), whole({ min: 2 }, '')], { error: () => 'expected all, or a number of users' })
    .meta({
      description:
        'Users of the test: all, or another sample of so many; those of the validation where absent',
    }),
};

export const model = choice(MODEL_NAMES as [ModelName, ...ModelName[]], 'Model');
export const seed = whole({ min: 0 }, 'Seed of the initial values, batches and dropout');
export const slice = z
  .strictObject(
    {
      users: real(
        { above: 0, max: 1 },
        'Share of users; smaller shares are contained in larger ones',
      ).default(1),
      pick: choice(
        ['predictable', 'surprising'],
        'Which users come first: those whose histories the others predict best, or worst; scattered where left out',
      ).optional(),
      time: real({ above: 0, max: 1 }, 'Share of training interactions, the earliest by time').optional(),
      latest: real({ above: 0, max: 1 }, 'Share of training interactions, the latest by time').optional(),
      maxLength: whole({ min: 1 }, "Keeps the last so many of each user's training interactions").optional(),
      noise: real(
        { min: 0, max: 1 },
        'Share of events whose item is replaced by one of equal popularity at random',
      ).optional(),
      repeats: real(
        { min: 0, max: 1 },
        "Share of events whose item is replaced by one of the user's ten before it",
      ).optional(),
      shuffle: real({ min: 0, max: 1 }, 'Share of users whose histories stand in a random order').optional(),
    },
    { error: named('a slice such as {users: 0.5}') },
  )
  .meta({ description: 'Which part of the training data a trial sees' });

/** One value an axis may take, by the axis' name. */
export const axisFields = { model, ...modelFields, ...trainingFields, slice, seed };
export type AxisName = keyof typeof axisFields;
export const AXIS_NAMES = Object.keys(axisFields) as AxisName[];

/** Settings that a sweep may tune: those that change neither a model's size nor what a step of it costs. */
export const TUNED_NAMES = (
  'dropout timeDropout init convInit beta reverseOutput hiddenShare epochs patience rows learningRate schedule warmup ' +
  'weightDecay clipNorm evaluateEvery'
).split(' ') as AxisName[];

const mapped = <T>(make: (name: AxisName) => T) =>
  Object.fromEntries(AXIS_NAMES.map((name) => [name, make(name)])) as Record<AxisName, T>;

const values = (name: AxisName) =>
  z
    .array(axisFields[name] as z.ZodType, { error: named(`a list of values for ${name}, such as [1, 2]`) })
    .min(1, { error: `expected at least one value for ${name}` })
    .meta({ description: axisFields[name].meta()?.description });

export const axes = (description: string, names = AXIS_NAMES, example = 'dim: [16, 32]') =>
  z
    .strictObject(
      Object.fromEntries(names.map((name) => [name, values(name).optional()])) as ReturnType<
        typeof optionalValues
      >,
      { error: named(`axes with lists, such as ${example}`) },
    )
    .refine((given) => Object.keys(given).length > 0, {
      error: `expected at least one axis, such as ${example}`,
    })
    .meta({ description });
export const optionalValues = () => mapped((name) => values(name).optional());

export const points = <T extends z.ZodType>(entry: (name: AxisName) => T, description: string) =>
  z
    .array(
      z
        .strictObject(
          mapped((name) => entry(name).optional()),
          { error: named('settings such as {dim: 16, layers: 2}') },
        )
        .refine((given) => Object.keys(given).length > 0, { error: 'expected at least one setting' }),
      { error: named('a list of settings, such as [{dim: 16, layers: 2}]') },
    )
    .min(1, { error: 'expected at least one entry' })
    .meta({ description });
