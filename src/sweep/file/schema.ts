/**
 * The grammar of a sweep file, once: checks, messages and the JSON Schema for editors all come from here. Every object is
 * strict, because a misspelt key that is silently ignored costs a sweep.
 */

import { z } from 'zod';
import { bytes, choice, duration, named, optionalAll, real, text, whole } from '../../util/fields.js';
import type { LauncherSection } from '../launch/kind.js';
import { LAUNCHER_NAMES, type LAUNCHERS, launcherKind } from '../launch/launchers.js';
import {
  axes,
  axisFields,
  BACKENDS,
  evaluatedFields,
  model,
  modelFields,
  points,
  seed,
  slice,
  TUNED_NAMES,
  trainingFields,
} from './axes.js';

const METRIC = /^(hr|ndcg|mrr)@[1-9][0-9]*$/;

const section = <T extends z.ZodRawShape>(shape: T, example: string, description: string) =>
  z.strictObject(shape, { error: named(`settings such as ${example}`) }).meta({ description });

const launcherSection = <F extends z.ZodRawShape>({ fields, example, description }: LauncherSection<F>) =>
  section(optionalAll(fields), example, description).optional();

type Launchers = typeof LAUNCHERS;
type Sections = {
  [N in keyof Launchers as Launchers[N] extends { section: object } ? N : never]: Launchers[N] extends {
    section: LauncherSection<infer F>;
  }
    ? ReturnType<typeof launcherSection<F>>
    : never;
};

/** Launchers that ask something of a sweep file have a section of their name. */
function launcherSections(): Sections {
  const sections = LAUNCHER_NAMES.flatMap((name) => {
    const { section } = launcherKind(name);
    return section ? [[name, launcherSection(section)]] : [];
  });
  return Object.fromEntries(sections) as Sections;
}

const share = (what: string) => real({ above: 0, below: 1 }, `Share of all interactions, the latest${what}`);
const splitFields = {
  temporal: section(
    { validation: share(' before those of the test'), test: share('') },
    '{validation: 0.1, test: 0.1}',
    'A global temporal split: everything before a moment trains, what a user does first after it is the target',
  ),
};

export const syntheticFields = optionalAll({
  seed: whole({ min: 0 }, 'Seed of the generator'),
  users: whole({ min: 1, max: 1e8 }, 'Users'),
  items: whole({ min: 1, max: 1e8 }, 'Items'),
  meanLength: real({ min: 1, max: 1e6 }, 'Mean events a user'),
  minLength: whole({ min: 1, max: 1e6 }, 'Fewest events a user'),
  popularity: real({ min: 0, max: 10 }, "Exponent of Zipf's law over the items; 0 is uniform"),
  markov: real({ min: 0, max: 1 }, 'Share of steps that follow a transition'),
  branching: whole({ min: 1, max: 1e8 }, 'Successors an item has'),
  secondOrder: real({ min: 0, max: 1 }, 'Share of transitions from the item before the last'),
  taste: real({ min: 0, max: 1 }, "Share of the remaining steps that come from the user's taste"),
  clusters: whole({ min: 1, max: 1e8 }, 'Clusters of items'),
  repeats: real({ min: 0, max: 1 }, 'Share of steps that repeat a recent item'),
  session: real({ min: 0, max: 1 }, 'Probability that a step stays within the session'),
});

export const sweepSchema = z
  .strictObject(
    {
      name: text(
        /^[a-z0-9][a-z0-9._-]{0,63}$/i,
        'expected a short name of letters, digits, dots and dashes (it becomes a folder)',
        'Name of the sweep and of its folder under reports/; the file name where absent',
      ).optional(),
      data: z
        .union(
          [
            z.string().min(1),
            z.strictObject({ synthetic: section(syntheticFields, '{users: 500}', 'Embedded generator') }),
          ],
          { error: named('a data set: a name, a file, or {synthetic: {users: 500}}') },
        )
        .meta({ description: 'A data set by name, a file, or options of the synthetic generator' }),
      slices: z
        .array(slice, { error: named('a list of slices, such as [{users: 0.5}, {users: 1}]') })
        .min(1, { error: 'expected at least one slice, such as {users: 1}' })
        .meta({ description: 'Parts of the training data; every configuration is trained on each' })
        .optional(),
      seeds: z
        .array(seed, { error: named('a list of seeds, such as [0, 1, 2]') })
        .min(1, { error: 'expected at least one seed, such as [0]' })
        .meta({ description: 'Repeats: every configuration is trained once a seed' })
        .optional(),
      model: section(
        { name: model.optional(), ...optionalAll(modelFields) },
        '{name: mamba4rec, dState: 16}',
        'Model settings that every trial shares',
      ).optional(),
      training: section(
        optionalAll(trainingFields),
        '{epochs: 20}',
        'Training settings that every trial shares',
      ).optional(),
      evaluation: section(
        {
          ks: z
            .array(whole({ min: 1 }, 'Cut-off K'), { error: named('a list of cut-offs, such as [5, 10]') })
            .min(1, { error: 'expected at least one cut-off' })
            .meta({ description: 'Cut-offs K' })
            .optional(),
          select: text(
            METRIC,
            'expected a metric such as ndcg@10, hr@5 or mrr@20',
            'Metric of early stopping and selection',
          ).optional(),
          history: choice(
            ['masked', 'unmasked'],
            "Rankings that selection looks at: without or with the user's own history",
          ).optional(),
          ...optionalAll(evaluatedFields),
        },
        '{select: ndcg@10}',
        'How trials are ranked',
      ).optional(),
      split: z
        .union(
          [z.literal('leave-one-out'), section(splitFields, '{temporal: {validation: 0.1, test: 0.1}}', '')],
          {
            error: named('leave-one-out, or {temporal: {validation: 0.1, test: 0.1}}'),
          },
        )
        .meta({
          description: 'What is held out: the last two items of each user, or what comes after a moment',
        })
        .optional(),
      grid: axes('Axes crossed with each other: every combination is a trial').optional(),
      zip: axes('Axes of equal length that advance together').optional(),
      tune: axes(
        'Settings tuned for every configuration: all their combinations are trials, and the best by validation stands for the configuration',
        TUNED_NAMES,
        'learningRate: [5e-4, 1e-3]',
      ).optional(),
      list: points((name) => axisFields[name] as z.ZodType, 'Configurations given one by one').optional(),
      exclude: points(
        (name) => z.union([axisFields[name] as z.ZodType, z.array(axisFields[name] as z.ZodType)]),
        'Combinations to leave out; a value may be a list of values',
      ).optional(),
      budget: section(
        {
          flops: real({ above: 0 }, 'Training FLOPs of all trials together').optional(),
          hours: real({ above: 0 }, 'Compute hours of all trials together').optional(),
        },
        '{flops: 1e15}',
        'Planning stops here: the largest trials past it are left out',
      ).optional(),
      goal: section(
        {
          params: real({ above: 0 }, 'Most parameters of the model to be trained, such as 50M').optional(),
          flops: real({ above: 0 }, 'Most training FLOPs of the run to be trained, such as 1e15').optional(),
          metric: text(
            METRIC,
            'expected a metric such as ndcg@10, hr@5 or mrr@20',
            'Metric that decides; that of evaluation.select where absent',
          ).optional(),
          tolerance: real(
            { above: 0, below: 1 },
            'How much worse than the best is as good, in units of the metric (0.003)',
          ).default(0.003),
          confidence: real(
            { above: 0.5, below: 1 },
            'How surely the answer must be within the tolerance before the sweep stops (0.9)',
          ).default(0.9),
          hours: real({ above: 0 }, 'Most wall hours of the whole sweep').optional(),
          round: whole(
            { min: 1, max: 4096 },
            'Runs a round; the workers, and at least 2, where absent',
          ).optional(),
        },
        '{params: 50M, hours: 8}',
        'What is to be decided: runs of the grid are taken in rounds, those first that tell most of it for their cost, until it is known, the hours are spent, or no further run would help',
      ).optional(),
      halving: section(
        {
          rungs: z
            .array(whole({ min: 1 }, 'Epochs'), { error: named('a list of epochs, such as [5, 10]') })
            .min(1, { error: 'expected at least one rung' })
            .refine((rungs) => rungs.every((rung, i) => i === 0 || rung > rungs[i - 1]!), {
              error: 'expected rising numbers of epochs, such as [5, 10]',
            })
            .meta({ description: 'Epochs after which the trials of a slice are compared' }),
          eta: real({ above: 1, max: 1000 }, 'One of so many goes on at each rung (3)').default(3),
        },
        '{rungs: [5, 10], eta: 3}',
        'Successive halving: only the best by validation go on. Those that end early are left out of laws',
      ).optional(),
      limits: section(
        {
          memory: bytes('Most memory of one trial process').optional(),
          time: duration('Longest time of one trial process').optional(),
        },
        '{memory: 4GiB, time: 2h}',
        'A trial past a limit is stopped and recorded as failed',
      ).optional(),
      ...launcherSections(),
      backend: choice([...BACKENDS], 'Where trials run').optional(),
      workers: whole(
        { min: 1, max: 4096 },
        'Trials at the same time; the number of cores where absent',
      ).optional(),
      threads: z
        .union([z.literal('auto'), whole({ min: 1, max: 64 }, '')], {
          error: () => 'expected auto, or a number of threads from 1 to 64',
        })
        .meta({
          description:
            'Threads of a trial on the backend wasm: a number, or auto, the cores that are free (the default). No number of a result depends on it',
        })
        .optional(),
      keepWeights: z
        .boolean({ error: 'expected true or false' })
        .meta({
          description: "Keep every trial's best weights beside its result, for perflaw export (true)",
        })
        .optional(),
    },
    { error: named('settings such as data: and grid:') },
  )
  .meta({ title: 'perflaw sweep', description: 'A sweep file of perflaw' });

export type SweepFile = z.output<typeof sweepSchema>;

/** Successive halving: epochs after which the trials of a slice are compared, rising, and one of how many goes on. */
export type Halving = NonNullable<SweepFile['halving']>;

/** What a sweep in rounds is to decide: within which limits, by which metric, how surely. */
export type Goal = NonNullable<SweepFile['goal']>;

/** The JSON Schema (draft 2020-12) of sweep files, for editors that check and complete YAML. */
export function sweepJsonSchema(): unknown {
  return z.toJSONSchema(sweepSchema, { io: 'input', unrepresentable: 'any' });
}
