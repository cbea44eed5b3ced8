/** `perflaw train`: one model on one data set, straight from a file. */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { Interactions } from '../data/interactions.js';
import { BACKENDS } from '../kernels/choose.js';
import { DEFAULT_MODEL, defaultLoss, MEANT_FOR, MODEL_NAMES, type ModelConfig } from '../model/config.js';
import type { WeightsFile } from '../model/files/weights-file.js';
import {
  evaluatedFields,
  modelFields,
  plainRate,
  seed as seedField,
  trainingFields,
} from '../sweep/file/axes.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING, type TrialConfig } from '../train/config.js';
import type { AskedThreads } from '../train/hooks.js';
import type { FinishedRun } from '../train/run-folder.js';
import { hasThreads, mostThreads } from '../train/threads/worth.js';
import { ExitCode, UserError } from '../util/errors.js';
import { prepareFolder, writeJson } from '../util/files.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { addImportOptions, importArguments } from './options/import-options.js';
import { threadsOption } from './options/threads.js';
import { epochLine, printResult } from './words/train-text.js';

/** Settings that a sweep file knows too: same names (in kebab case), same checks, same words; one size needs no rule for rates. */
const FIELDS = { ...modelFields, ...trainingFields, learningRate: plainRate };
type FieldName = keyof typeof FIELDS;
const DEFAULTS: Partial<Record<FieldName, string | number>> = { ...DEFAULT_MODEL, ...DEFAULT_TRAINING };

/** `--time` is the column of an import, and `--init` takes a file of weights as well. */
const RENAMED: Partial<Record<FieldName, string>> = { time: 'time-mode' };
const kebab = (name: FieldName) =>
  RENAMED[name] ?? name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const DESCRIPTIONS: Partial<Record<FieldName, string>> = {
  init: "Initial values: mamba (the library's), mamba4rec (the paper's released code), or a safetensors file of weights to start from",
  loss: 'all: every position predicts its next item (default); last: the last position of a prefix (ssd4rec)',
};

export function options(yargs: Argv): Argv {
  addImportOptions(yargs)
    .option('data', { type: 'string', default: 'synthetic', description: 'File, or name of a data set' })
    .option('model', { choices: MODEL_NAMES, default: DEFAULT_MODEL.name, description: 'Model' });
  for (const name of Object.keys(FIELDS) as FieldName[])
    yargs.option(kebab(name), {
      type: 'string',
      // The loss depends on the model: an ssd4rec never has one at all positions.
      default: name === 'loss' ? undefined : DEFAULTS[name],
      description: DESCRIPTIONS[name] ?? FIELDS[name].meta()?.description,
      group: 'Model and training:',
    });
  return yargs
    .option('history', {
      choices: ['masked', 'unmasked'],
      default: DEFAULT_EVALUATION.history,
      description: 'Ranking that selects: without or with the items already seen',
    })
    .option('users', {
      type: 'string',
      description: 'Users that are evaluated: a fixed sample of so many [default: all]',
    })
    .option('test-users', {
      type: 'string',
      description: 'Users of the test: all, or another sample of so many [default: those of the validation]',
    })
    .option('temporal', {
      type: 'string',
      description:
        'Hold out what comes after a moment instead of the last two items: shares of validation and test, e.g. 0.1,0.1',
    })
    .option('seed', { type: 'number', default: 1, description: 'Seed of weights, order and dropout' })
    .option('backend', {
      type: 'string',
      default: 'auto',
      description: `auto, ${BACKENDS.join(', ')}; auto takes a GPU where there is one`,
    })
    .option('threads', {
      type: 'string',
      default: 'auto',
      description:
        'Threads on the backend wasm: auto (the cores of this machine) or a number; no result depends on it',
    })
    .option('out', {
      type: 'string',
      description: 'Folder for checkpoint, weights and result; run again to resume',
    })
    .option('overwrite', {
      type: 'boolean',
      description: 'Replace what another training left in the folder of --out',
    })
    .example('$0 train --data ratings.csv --dim 64', 'Columns are guessed from their names')
    .epilogue(
      'Exit codes: 0 done, 2 wrong data or settings, or a folder of another training, 3 the training diverged, 130 interrupted.',
    );
}

export async function run(args: Arguments): Promise<number> {
  const { openDataset } = await import('../data/dataset.js');
  const { openBackend } = await import('../kernels/backend.js');
  const { checkResidual, readInitialWeights } = await import('../train/initial-weights.js');
  const { checkTrial, resolveTrial } = await import('../train/check.js');
  const { findFinished, refuseFile, weightsFault } = await import('../train/run-folder.js');
  const text = (name: string) => args[name] as string | undefined;
  const asked = threadsOption(args['threads']) ?? 'auto';
  configOf(args, { name: '', hash: '' }, ''); // a wrong value is said before any work is done
  const out = text('out') && resolve(text('out')!);
  const overwrite = args['overwrite'] === true;
  if (out) refuseFile(out);
  else if (overwrite)
    throw new UserError('--overwrite replaces what lies in a folder', { remedy: 'Name it: --out FOLDER.' });
  const readWeights = isFile(args) ? readInitialWeights(resolve(text('init')!)) : undefined;
  const data = await openDataset(text('data')!, { ...importArguments(args), onNote: note });
  const initialWeights = readWeights?.(data, note);
  const backend = await openBackend(text('backend')!, note);
  const config = resolveTrial({
    ...configOf(args, { name: data.name, hash: data.hash }, backend),
    ...(initialWeights ? { startFrom: initialWeights.sha256 } : {}),
  });
  checkTrial(config, { ...data, timed: data.timestamps !== null });
  const threads = trainingThreads(asked, config);
  if (initialWeights) checkResidual(initialWeights.path, config.model);
  const say = args.json ? note : print;
  say(`${data.name}: ${data.numUsers} users, ${data.numItems} items, ${data.items.length} interactions`);
  const finished = out ? findFinished(out, config, overwrite) : undefined;
  if (out && finished) {
    say(`Done already: this training's result lies in ${out}. Add --overwrite to train it again.`);
    const fault = weightsFault(out, finished);
    if (fault) note(`Note: ${fault}; --overwrite trains it again.`);
  }
  const answer = finished ?? (await trainNow(config, data, { out, threads, initialWeights, say }));
  if (!answer) return ExitCode.interrupted;
  const { popularity, result } = answer;
  if (args.json) printJson({ config, popularity, result });
  else printResult(config, result, popularity);
  // Only now: what cannot be written for lack of space has been told at least.
  if (out && !finished) await keep(out, answer, data);
  return ExitCode.ok;
}

async function keep(out: string, answer: FinishedRun, data: Interactions): Promise<void> {
  const { removeCheckpoint } = await import('../train/checkpoint.js');
  const { RESULT_FILE } = await import('../train/run-folder.js');
  const { CARD_FILE, weightsCard } = await import('../train/weights-card.js');
  writeJson(join(out, CARD_FILE), weightsCard(answer.config, answer.result, data));
  writeJson(join(out, RESULT_FILE), answer);
  removeCheckpoint(out);
}

interface Surroundings {
  /** Folder for what is kept. */
  out: string | undefined;
  threads: AskedThreads;
  initialWeights: WeightsFile | undefined;
  say(text: string): void;
}

/** @throws UserError where threads are asked for that the backend does not know. */
function trainingThreads(asked: number | 'auto', config: TrialConfig): AskedThreads {
  if (asked === 'auto') return { upTo: Math.min(availableParallelism(), mostThreads(config)) };
  if (asked > 1 && !hasThreads(config))
    throw new UserError(`the backend ${config.backend} has no threads of its own`, {
      place: '--threads',
      remedy: 'Use --backend wasm, or leave the threads out.',
    });
  return asked;
}

/** Undefined when it was interrupted. */
async function trainNow(
  config: TrialConfig,
  data: Interactions,
  { out, threads, initialWeights, say }: Surroundings,
): Promise<FinishedRun | undefined> {
  const { splitInteractions } = await import('../data/split.js');
  const { popularityBaseline } = await import('../train/evaluation/baseline.js');
  const { trialNotes } = await import('../train/check.js');
  const { evaluationSet, leavesMoreThan } = await import('../train/evaluation/evaluation-set.js');
  const { NotANumberError, TrainingInterrupted } = await import('../train/hooks.js');
  const { trainModel } = await import('../train/trainer.js');
  const { WEIGHTS_FILE } = await import('../train/weights-card.js');
  const { RANKS_FILE } = await import('../train/evaluation/ranks.js');
  const validation = evaluationSet(
    data,
    splitInteractions(data, config.split),
    'validation',
    config.evaluation,
  );
  for (const text of trialNotes(config, data.numItems, (k) => leavesMoreThan(validation, data.numItems, k)))
    note(`Note: ${text}`);
  const popularity = popularityBaseline(data, config.slice, config.evaluation, config.split);
  if (out) prepareFolder(out);
  const stop = new AbortController();
  const onInterrupt = () => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const result = await trainModel(config, data, {
      ...(out
        ? { checkpointDir: out, weightsPath: join(out, WEIGHTS_FILE), ranksPath: join(out, RANKS_FILE) }
        : {}),
      ...(initialWeights ? { initialWeights } : {}),
      threads: () => threads,
      signal: stop.signal,
      onNote: note,
      onProgress: ({ finished }) => finished && say(epochLine(finished, config)),
    });
    return { config, popularity, result };
  } catch (error) {
    if (error instanceof NotANumberError)
      throw withWhatIsKept(error, await import('../train/run-folder.js'), out);
    if (!(error instanceof TrainingInterrupted)) throw error;
    note(
      out
        ? `Interrupted. The same command goes on from ${out}.`
        : 'Interrupted. Nothing is kept without --out.',
    );
    return undefined;
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/** A training that diverged: the error, and what is left of the time that went into it. */
function withWhatIsKept(
  error: UserError,
  { checkpointAt }: typeof import('../train/run-folder.js'),
  out: string | undefined,
): UserError {
  const at = out ? checkpointAt(out) : undefined;
  const kept = at
    ? `The last good checkpoint (epoch ${at.epoch}, step ${at.step}) is kept: ${at.path}. Other settings need another --out, or --overwrite.`
    : out
      ? `No checkpoint was due yet, so nothing of it is kept in ${out}.`
      : 'Nothing is kept without --out.';
  const { message, remedy, exitCode } = error;
  return new UserError(message, { remedy: `${remedy}\n  ${kept}`, exitCode, cause: error });
}

function configOf(args: Arguments, data: TrialConfig['data'], backend: string): TrialConfig {
  const read = <T>(fields: Partial<Record<FieldName, unknown>>) =>
    Object.fromEntries(
      (Object.keys(fields) as FieldName[])
        .filter((name) => args[kebab(name)] !== undefined && !(name === 'init' && isFile(args)))
        .map((name) => [
          name,
          accepted(FIELDS[name] as Field<unknown>, `--${kebab(name)}`, args[kebab(name)]),
        ]),
    ) as T;
  const name = args['model'] as ModelConfig['name'];
  refuseIgnored(args, name);
  const loss = defaultLoss(name);
  return {
    data,
    slice: { users: 1 },
    ...(args['temporal'] === undefined ? {} : { split: { temporal: temporalShares(args['temporal']) } }),
    model: { ...DEFAULT_MODEL, ...read<Partial<ModelConfig>>(modelFields), name },
    training: { ...DEFAULT_TRAINING, loss, ...read<Partial<TrialConfig['training']>>(trainingFields) },
    evaluation: {
      ...DEFAULT_EVALUATION,
      history: args['history'] as 'masked' | 'unmasked',
      ...(args['users'] === undefined
        ? {}
        : { users: accepted(evaluatedFields.users, '--users', args['users']) }),
      ...(args['test-users'] === undefined
        ? {}
        : { testUsers: accepted(evaluatedFields.testUsers, '--test-users', args['test-users']) }),
    },
    seed: accepted(seedField, '--seed', args['seed']),
    backend,
  };
}

/** @throws UserError for what is no two shares. */
function temporalShares(text: unknown): { validation: number; test: number } {
  const shares = String(text).split(',').map(Number);
  const [validation, test] = shares as [number, number];
  if (shares.length === 2 && validation > 0 && test > 0 && validation + test < 1) return { validation, test };
  throw new UserError(`--temporal is "${text}": two shares above 0, below 1 together`, {
    remedy: 'Give for instance --temporal 0.1,0.1.',
  });
}

/** @throws UserError for a setting that would change nothing. */
function refuseIgnored(args: Arguments, model: ModelConfig['name']): void {
  for (const [field, models] of MEANT_FOR)
    if (args[kebab(field)] !== undefined && !models.includes(model))
      throw new UserError(`--${kebab(field)} means nothing to ${model}`, {
        remedy: `It is a setting of ${models.join(' and ')}.`,
      });
  if (args['prefixes'] !== undefined && (args['loss'] ?? defaultLoss(model)) !== 'last')
    throw new UserError('--prefixes says what a loss at the last position trains on', {
      remedy: 'Add --loss last, or leave it out.',
    });
  if (args['proposal'] !== undefined && !Number(args['negatives'] ?? 0))
    throw new UserError('--proposal says how negatives are sampled', {
      remedy: 'Add --negatives 1000, or leave it out.',
    });
}

/** Whether `--init` names a file, not a way of drawing. */
function isFile(args: Arguments): boolean {
  return args['init'] !== undefined && !FIELDS.init.safeParse(args['init']).success;
}

/** @throws UserError in the words of the sweep file's schema. */
function accepted<T>(field: Field<T>, option: string, value: unknown): T {
  const outcome = field.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new UserError(`${option} is ${JSON.stringify(value)}: ${outcome.error.issues[0]?.message}`);
}

interface Field<T> {
  safeParse(
    value: unknown,
  ): { success: true; data: T } | { success: false; error: { issues: { message: string }[] } };
}
