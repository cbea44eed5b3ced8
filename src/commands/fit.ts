/** `perflaw fit`: performance laws fitted to a sweep or a table, forms side by side, with intervals and with what is not identifiable. */
import type { Argv } from 'yargs';
import { analysePanel, type PanelAnalysis } from '../law/analyse.js';
import { FORM_NAMES } from '../law/forms/forms.js';
import { namedForms } from '../law/forms/own-form.js';
import { analyseJoints } from '../law/joint.js';
import { metricWords } from '../law/points/direction.js';
import { metricNames, type Panel, panelsOf } from '../law/points/points.js';
import { meansOfSlices } from '../law/slice-levels.js';
import type { HoldoutOptions } from '../law/trust/holdout.js';
import { closeThreads } from '../law/trust/threads.js';
import { parseSplit } from '../law/trust/withhold.js';
import type { RunNoise } from '../sweep/results/run-noise.js';
import { ExitCode, UserError } from '../util/errors.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { type LawInput, lawInputOptions, readLawInput, wholeNumber } from './options/law-input.js';
import { holdOutAll, holdoutText } from './words/fit-holdout.js';
import { jointText, panelText, sliceMeansText } from './words/fit-text.js';
import { tuningText } from './words/tuned-text.js';

export function options(yargs: Argv): Argv {
  return lawInputOptions(yargs)
    .positional('runs', {
      type: 'string',
      describe:
        "A sweep's folder or name, or a table (CSV, JSON, Parquet); the last sweep where none is given",
    })
    .option('form', {
      type: 'string',
      describe: `Only this form, or these: ${FORM_NAMES.join(', ')}, all, or a file with one's own`,
    })
    .option('slice', { type: 'string', describe: 'One slice only' })
    .option('halved', { type: 'boolean', describe: 'Take trials too that successive halving ended early' })
    .option('bootstrap', { type: 'number', default: 1000, describe: 'Bootstrap replicates; 0 for none' })
    .option('level', { type: 'number', default: 0.9, describe: 'Share inside an interval' })
    .option('seed', { type: 'number', default: 0, describe: 'Seed of the bootstrap' })
    .option('holdout', {
      type: 'string',
      describe: 'Withhold dim, layers, both, corner or a share (20%) and predict it with every form',
    })
    .option('robust', { type: 'boolean', default: false, describe: "Huber's loss: outliers pull less" })
    .example('$0 fit', 'The last sweep, all slices, all forms')
    .example('$0 fit --holdout dim', 'Predicted against measured on the largest dim, fitted without it')
    .example('$0 fit runs.csv --tuned lr,wd', 'The best rate and decay by validation stand for each size')
    .example('$0 fit runs.csv --metric hr@10 --form performance-law --json', 'A table made elsewhere')
    .epilogue(
      'A table has columns slice, layers, dim, hr@10, ndcg@10 and, where known, tokens, apen, params, flops, seed.',
    );
}

export async function run(args: Arguments): Promise<number> {
  const forms = args['form'] === undefined ? undefined : await namedForms(String(args['form']));
  const resamples = wholeNumber(args['bootstrap'], '--bootstrap', 0)!;
  const seed = wholeNumber(args['seed'], '--seed', 0)!;
  const level = Number(args['level']);
  if (!(level > 0 && level < 1))
    throw new UserError(`${args['level']} is not between 0 and 1`, { place: '--level', remedy: 'Give 0.9.' });
  const input = await readLawInput(args);
  const { metric, direction } = input;
  for (const text of input.notes) note(`note: ${text}`);
  const slice = args['slice'] as string | undefined;
  const panels = panelsOf(input.observations).filter((panel) => slice === undefined || panel.slice === slice);
  if (panels.length === 0)
    throw new UserError(`slice "${slice}" was never measured`, {
      place: '--slice',
      remedy: `Measured slices: ${[...new Set(input.observations.map((one) => one.slice))].join('; ')}.`,
    });
  const huber = args['robust'] ? { huber: 'auto' as const } : {};
  const options = {
    metric,
    direction,
    ...(forms ? { forms } : {}),
    ...huber,
    resamples,
    seed,
    level,
  };
  if (args['holdout'] !== undefined) {
    const split = parseSplit(String(args['holdout']), seed);
    return holdout(panels, { ...options, split }, input, args.json === true);
  }
  const slices: PanelAnalysis[] = [];
  const refused: { label: string; error: UserError }[] = [];
  for (const panel of panels)
    try {
      slices.push((await analysePanel(panel, options)).panel);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      refused.push({ label: panel.label, error });
    }
  await closeThreads();
  const alone = slices.length > 0 || slice !== undefined ? [] : meansOfSlices(input.observations, metric);
  if (slices.length === 0 && alone.length === 0) throw refused[0]!.error;
  const chosen = new Map(slices.map(({ label, form }) => [label, form]));
  const { joint, refused: unjoined } = analyseJoints(slices.length > 0 ? panels : [], chosen, metric, {
    ...huber,
    ...(forms?.length === 1 ? { form: forms[0] } : {}),
    direction,
  });
  for (const { message } of unjoined) note(`note: no joint fit over slices: ${message}`);
  if (alone.length > 0)
    note(`note: no law of sizes: ${refused[0]!.error.message}; the slices are compared as they are`);
  else for (const { label, error } of refused) note(`note: ${label}: not fitted: ${error.message}`);
  const noise = await noiseByLabel(input, panels);
  if (args.json) {
    printJson({
      name: input.name,
      metric,
      direction,
      metrics: metricNames(input.observations),
      level,
      bootstrap: resamples,
      seed,
      slices: slices.map((one) => ({ ...one, noise: noise.get(one.label) ?? null })),
      joint,
      ...(alone.length > 0 ? { levels: alone } : {}),
      ...(input.tuning ? { tuning: input.tuning } : {}),
      refused: refused.map(({ label, error }) => ({ slice: label, reason: error.message })),
      notes: input.notes,
    });
    return ExitCode.ok;
  }
  if (slices.length > 0)
    print(slices.map((panel) => panelText(panel, level, noise.get(panel.label))).join('\n\n'));
  for (const one of alone) print(`${sliceMeansText(one, metricWords(metric, direction))}\n`);
  for (const one of joint) print(`\n${jointText(one, metric)}`);
  if (input.tuning) {
    const shown = input.tuning.configurations.filter((one) => slice === undefined || one.slice === slice);
    print(`\n${tuningText({ ...input.tuning, configurations: shown }, metric)}`);
  }
  return ExitCode.ok;
}

/** What seeds and users bring to the noise of one run, by the panel's label: of sweeps whose trials kept their ranks. */
async function noiseByLabel(
  { path, metric }: LawInput,
  panels: readonly Panel[],
): Promise<Map<string, RunNoise>> {
  if (path === undefined) return new Map();
  const { noiseOfRuns } = await import('../sweep/results/run-noise.js');
  return new Map(
    panels.flatMap((panel) => {
      const noise = noiseOfRuns(path, panel, metric);
      return noise ? [[panel.label, noise] as const] : [];
    }),
  );
}

async function holdout(
  panels: readonly Panel[],
  options: HoldoutOptions,
  input: LawInput,
  json: boolean,
): Promise<number> {
  const { metric, level = 0.9, resamples, seed, split } = options;
  const found = await holdOutAll(panels, options);
  await closeThreads();
  for (const { slice, reason } of found.refused) note(`note: ${slice}: not judged: ${reason}`);
  if (json)
    printJson({
      name: input.name,
      metric,
      direction: input.direction,
      level,
      bootstrap: resamples,
      seed,
      holdout: split,
      ...found,
      notes: input.notes,
    });
  else print(holdoutText(found, metricWords(metric, input.direction), level));
  return ExitCode.ok;
}
