/** `perflaw predict`: the best configuration within a budget, with its uncertainty and what a smaller one would lose. */
import type { Argv } from 'yargs';
import type { Shape } from '../law/calibrate.js';
import { FORM_NAMES } from '../law/forms/forms.js';
import { namedForms } from '../law/forms/own-form.js';
import { nearestTuned, settingWords } from '../law/points/tuned.js';
import type { Budget } from '../law/predict/candidates.js';
import { predict } from '../law/predict/predict.js';
import type { PredictOptions } from '../law/predict/prediction.js';
import { closeThreads } from '../law/trust/threads.js';
import { DEFAULT_MODEL, MODEL_NAMES, type ModelConfig, type ModelName } from '../model/config.js';
import { ExitCode, UserError } from '../util/errors.js';
import { parseCount } from '../util/format.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { type LawInput, lawInputOptions, readLawInput, wholeNumber } from './options/law-input.js';
import { predictionText } from './words/predict-text.js';

export function options(yargs: Argv): Argv {
  return lawInputOptions(yargs)
    .positional('runs', {
      type: 'string',
      describe:
        "A sweep's folder or name, or a table (CSV, JSON, Parquet); the last sweep where none is given",
    })
    .option('params', { type: 'string', describe: 'Budget of parameters, e.g. 50M' })
    .option('non-embedding', {
      type: 'boolean',
      default: false,
      describe: '--params counts those outside the item table',
    })
    .option('flops', { type: 'string', describe: 'Budget of training FLOPs of the whole run, e.g. 1e15' })
    .option('memory', { type: 'string', describe: 'Budget of peak memory, e.g. 8GiB or 500MB' })
    .option('hours', { type: 'string', describe: 'Budget of hours, through the measured throughput' })
    .option('slice', {
      type: 'string',
      describe: 'Slice of the data [default: the one with the most tokens]',
    })
    .option('at', {
      type: 'array',
      describe:
        'Say what to expect of this configuration too, such as layers=4,dim=128; may be given several times',
    })
    .option('tokens', { type: 'string', describe: 'Foretell a slice of so many tokens, e.g. 5M' })
    .option('data', { type: 'string', describe: 'Foretell a slice so many times as large, e.g. 10x' })
    .option('tolerance', {
      type: 'string',
      describe: 'How much worse than the best is as good: .002, or a share of it [default: 1%]',
    })
    .option('form', {
      type: 'string',
      describe: `Form of the law: ${FORM_NAMES.join(', ')}, or a file with one's own; the best of several by commas [default: least error on unseen points]`,
    })
    .option('items', {
      type: 'string',
      describe: 'For a table: items of the catalogue, to count parameters exactly',
    })
    .option('model', {
      choices: MODEL_NAMES,
      describe: 'For a table with --items: the model [default: mamba4rec]',
    })
    .option('d-state', {
      type: 'number',
      describe: 'For a table with --items: states a channel [default: 32]',
    })
    .option('max-length', {
      type: 'number',
      describe: 'For a table with --items: longest history [default: 200]',
    })
    .option('halved', { type: 'boolean', describe: 'Take trials too that successive halving ended early' })
    .option('bootstrap', { type: 'number', default: 1000, describe: 'Bootstrap replicates; 0 for none' })
    .option('level', { type: 'number', default: 0.9, describe: 'Share inside an interval' })
    .option('seed', { type: 'number', default: 0, describe: 'Seed of the bootstrap' })
    .option('verbose', {
      type: 'boolean',
      default: false,
      describe: 'Tell the law, the other forms, the optimum and the best for every cost too',
    })
    .option('robust', { type: 'boolean', default: false, describe: "Huber's loss: outliers pull less" })
    .example('$0 predict --params 50M', 'The last sweep: the best with at most 50 million parameters')
    .example('$0 predict runs.csv --items 3416 --params 2M --json', 'A table made elsewhere');
}

const BYTES: Record<string, number> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

function amount(value: unknown, option: string, example: string): number | undefined {
  if (value === undefined) return undefined;
  const number = parseCount(String(value));
  if (number !== undefined && number > 0) return number;
  throw new UserError(`"${value}" is not an amount above 0`, {
    place: option,
    remedy: `Give for instance ${option} ${example}.`,
  });
}

function bytes(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const match = /^\s*([0-9.]+)\s*([kmgt]i?b?|b)?\s*$/i.exec(String(value));
  const unit = (match?.[2] ?? 'b').toLowerCase();
  const number = Number(match?.[1]) * (BYTES[unit] ?? BYTES[`${unit}b`] ?? Number.NaN);
  if (number > 0 && Number.isFinite(number)) return number;
  throw new UserError(`"${value}" is not an amount of memory`, {
    place: '--memory',
    remedy: 'Give for instance --memory 8GiB.',
  });
}

function readBudget(args: Arguments): Budget {
  const budget: Budget = {
    params: amount(args['params'], '--params', '50M'),
    nonEmbedding: args['non-embedding'] === true,
    flops: amount(args['flops'], '--flops', '1e15'),
    memoryBytes: bytes(args['memory']),
    hours: amount(args['hours'], '--hours', '2'),
  };
  const { nonEmbedding, ...limits } = budget;
  if (Object.values(limits).every((limit) => limit === undefined))
    throw new UserError('there is no budget', {
      remedy: 'Give --params 50M, --flops 1e15, --memory 8GiB or --hours 2; several count together.',
    });
  if (nonEmbedding && budget.params === undefined)
    throw new UserError('--non-embedding says how --params counts', { remedy: 'Give --params too.' });
  return budget;
}

/** A slice that was not measured: `--tokens 5M` or `--data 10x`. */
function readData(args: Arguments): { tokens?: number; times?: number } {
  const tokens = amount(args['tokens'], '--tokens', '5M');
  if (args['data'] === undefined) return tokens === undefined ? {} : { tokens };
  if (tokens !== undefined)
    throw new UserError('--tokens and --data both say how much data', {
      place: '--tokens --data',
      remedy: 'Give one of the two.',
    });
  const times = Number(/^\s*([0-9.]+)\s*x?\s*$/i.exec(String(args['data']))?.[1]);
  if (times > 0 && Number.isFinite(times)) return { times };
  throw new UserError(`"${args['data']}" is no multiple of the data`, {
    place: '--data',
    remedy: 'Give for instance --data 10x.',
  });
}

/** `--at layers=4,dim=128`. */
function readPlaces(value: unknown): Shape[] {
  return ((value ?? []) as unknown[]).map((given) => {
    const parts = String(given)
      .split(',')
      .map((part) => part.split('=').map((word) => word.trim()));
    const found = Object.fromEntries(parts) as Record<string, string | undefined>;
    const [layers, dim] = [found['layers'], found['dim']].map(Number);
    const isWhole = (number: number | undefined): number is number => Number.isInteger(number) && number! > 0;
    if (parts.length === 2 && isWhole(layers) && isWhole(dim)) return { layers, dim };
    throw new UserError(`"${given}" names no configuration`, {
      place: '--at',
      remedy: 'Give for instance --at layers=4,dim=128.',
    });
  });
}

/** `.002` in units of the metric, or `1%` of the best. */
function readTolerance(value: unknown): PredictOptions['tolerance'] {
  if (value === undefined) return undefined;
  const match = /^\s*([0-9.]+(?:e-?\d+)?)\s*(%?)\s*$/i.exec(String(value));
  const number = Number(match?.[1]);
  if (match && Number.isFinite(number))
    return match[2] ? { value: number / 100, relative: true } : { value: number, relative: false };
  throw new UserError(`"${value}" is no tolerance`, {
    place: '--tolerance',
    remedy: 'Give for instance --tolerance .002, or --tolerance 1%.',
  });
}

/** Models and items to count with: a sweep knows them, a table is told. */
function modelsFor(args: Arguments, input: LawInput): { models?: ModelConfig[]; numItems?: number } {
  const items = amount(args['items'], '--items', '3416');
  if (input.numItems !== undefined) {
    if (items !== undefined) note('note: --items is ignored, the sweep knows its own');
    return { models: input.models, numItems: input.numItems };
  }
  if (items === undefined) return {};
  const numItems = Math.round(items);
  const dState = wholeNumber(args['d-state'], '--d-state', 1);
  const maxLength = wholeNumber(args['max-length'], '--max-length', 1);
  // every setting that the table names, and the defaults for the rest
  const named = input.observations.map(({ config }) => config ?? {});
  const distinct = new Map(named.map((config) => [JSON.stringify(config), config]));
  const models = [...distinct.values()].map((config) => {
    const { model, ...rest } = config as { model?: string } & Partial<ModelConfig>;
    const name =
      (args['model'] as ModelName | undefined) ??
      MODEL_NAMES.find((known) => known === model) ??
      DEFAULT_MODEL.name;
    return {
      ...DEFAULT_MODEL,
      ...(dState ? { dState } : {}),
      ...(maxLength ? { maxLength } : {}),
      ...rest,
      name,
    } as ModelConfig;
  });
  note(
    `note: parameters are counted for ${[...new Set(models.map((model) => model.name))].join(', ')} with ${numItems} items`,
  );
  return { models, numItems };
}

/** The prediction as one JSON value, as the words of the command, and the size that it names. */
export async function predictRuns(
  args: Arguments,
): Promise<{ json: object; text: string; best: { layers: number; dim: number } }> {
  const forms = args['form'] === undefined ? undefined : await namedForms(String(args['form']));
  const budget = readBudget(args);
  const resamples = wholeNumber(args['bootstrap'], '--bootstrap', 0)!;
  const seed = wholeNumber(args['seed'], '--seed', 0)!;
  const level = Number(args['level']);
  if (!(level > 0 && level < 1))
    throw new UserError(`${args['level']} is not between 0 and 1`, { place: '--level', remedy: 'Give 0.9.' });
  const input = await readLawInput(args);
  for (const text of input.notes) note(`note: ${text}`);
  const report = await predict(input.observations, {
    ...modelsFor(args, input),
    budget,
    ...(forms?.length === 1 ? { form: forms[0] } : { forms }),
    metric: input.metric,
    direction: input.direction,
    slice: args['slice'] as string | undefined,
    ...readData(args),
    at: readPlaces(args['at']),
    tolerance: readTolerance(args['tolerance']),
    resamples,
    seed,
    level,
    ...(args['robust'] ? { huber: 'auto' as const } : {}),
  });
  await closeThreads();
  const best = input.tuning && nearestTuned(input.tuning, report.slice, report.best);
  const trainWith =
    best &&
    `Train it with ${settingWords(best.best)}: the best by ${input.tuning!.by} at layers ${best.layers}, dim ${best.dim}, the nearest size that was tuned.`;
  return {
    json: {
      name: input.name,
      ...report,
      ...(input.tuning ? { tuned: best ?? null } : {}),
      inputNotes: input.notes,
    },
    text: [predictionText(report, args['verbose'] === true), ...(trainWith ? [trainWith] : [])].join('\n\n'),
    best: report.best,
  };
}

export async function run(args: Arguments): Promise<number> {
  const { json, text } = await predictRuns(args);
  if (args.json) printJson(json);
  else print(text);
  return ExitCode.ok;
}
