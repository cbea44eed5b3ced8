/** `perflaw answer DATA`: a sweep file for the data, the sweep towards its goal, the prediction and the report. Run again, it resumes. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { Sweep } from '../sweep/file/resolve.js';
import type { Goal } from '../sweep/file/schema.js';
import type { Wishes } from '../sweep/init/init.js';
import type { PreparedSweep } from '../sweep/run/start.js';
import { describeError, ExitCode, UserError } from '../util/errors.js';
import { formatCount, formatDuration } from '../util/format.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { draftWords, readWishes, type Target, targetOf, wishOptions, writeDraft } from './options/wishes.js';
import type { SweepEnd } from './sweep.js';

export function options(yargs: Argv): Argv {
  return wishOptions(yargs)
    .option('watch', {
      type: 'boolean',
      describe: 'Show the progress of an answer that another command works on',
    })
    .option('retry-failed', { type: 'boolean', describe: 'Run failed trials again' })
    .example('$0 answer synthetic --hours 2min', 'The embedded data: the whole way in two minutes')
    .example('$0 answer clicks.csv --params 50M --hours 8', 'What to train on your data, by tomorrow morning')
    .example('$0 answer clicks.csv', 'Goes on where it stopped, with the file that it made')
    .epilogue(
      'It is `perflaw init`, `sweep`, `predict` and `report` in one: look at the file it writes, change it, and run it again. On a cluster: init, then `perflaw sweep FILE --launch slurm`. Exit codes: 0 done, 2 what cannot be answered, 3 some trials failed, 130 interrupted.',
    );
}

export async function run(args: Arguments): Promise<number> {
  const wishes = readWishes(args);
  const target = await targetOf(args);
  if (args['watch']) return follow(target, args);
  // The data are read for the file and for its sweep: what is to be said of them is said once.
  const said = new Set<string>();
  const say = (text: string) => {
    if (!said.has(text)) note(text);
    said.add(text);
  };
  if (existsSync(target.file) && args['force'] !== true) await goOnWith(target, wishes);
  else for (const text of draftWords(target, wishes, await writeDraft(target, wishes, args, say))) note(text);

  const [{ prepareSweep }, { runPrepared }] = await Promise.all([
    import('../sweep/run/start.js'),
    import('./sweep.js'),
  ]);
  const prepared = await prepareSweep(target.file, { onNote: say });
  if (args['force'] !== true) refuseOtherData(prepared, target);
  const end = await runPrepared(prepared, { retryFailed: args['retry-failed'] === true });
  if (end.summary.interrupted || end.done.length === 0) {
    note(endWords(prepared, end));
    note('The same command goes on.');
    return end.summary.interrupted ? end.code : ExitCode.trialsFailed;
  }
  return conclude(prepared, end, args);
}

/** Where the goal and the law of `predict` name different models. */
const TWO_ANSWERS =
  'The goal and the law name different models. The goal weighs all runs on every slice together, and the cheapest that is as good; the law describes the runs of one slice. With few runs the goal is the one that was asked (docs/goal.md).';

/** Predicts and reports; a law that cannot be fitted leaves the report, which says what is missing. */
async function conclude(prepared: PreparedSweep, end: SweepEnd, args: Arguments): Promise<number> {
  const [{ predictRuns }, { reportRuns }] = await Promise.all([
    import('./predict.js'),
    import('./report.js'),
  ]);
  const { store, sweep } = prepared;
  const asked = predictArguments(sweep, store.path);
  const prediction = await predictRuns(asked).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return { error, text: describeError(error), json: { error: error.message }, best: undefined };
  });
  const report = await reportRuns({ runs: store.path, metric: asked['metric'] });
  const { records: _records, ...counts } = end.summary;
  if (args.json)
    printJson({
      file: sweep.file,
      name: sweep.name,
      path: store.path,
      goal: sweep.goal,
      sweep: { ...counts, done: end.done.length, planned: prepared.stored.trials.length },
      decisions: end.goal?.decisions,
      prediction: prediction.json,
      report: report.json,
    });
  else {
    print(endWords(prepared, end));
    if (end.goal?.words) print(end.goal.words);
    print();
    print(`${prediction.text}\n`);
    const named = end.goal?.decisions.at(-1)?.named;
    const { best } = prediction;
    if (named && best && (named.layers !== best.layers || named.dim !== best.dim)) print(`${TWO_ANSWERS}\n`);
    for (const text of report.places) print(text);
  }
  return 'error' in prediction ? prediction.error.exitCode : end.code;
}

/** What `perflaw predict` is asked, by the goal of the file. */
function predictArguments({ goal, evaluation }: Sweep, runs: string): Arguments {
  const { params, flops, metric = evaluation.select, tolerance } = goal!;
  return {
    runs,
    ...(params === undefined ? {} : { params: String(params) }),
    ...(flops === undefined ? {} : { flops: String(flops) }),
    metric,
    tolerance: String(tolerance),
    bootstrap: 1000,
    seed: 0,
    level: 0.9,
  };
}

function endWords({ store, stored }: PreparedSweep, { summary, done }: SweepEnd): string {
  const { failed, kept, seconds } = summary;
  const parts = [
    `${done.length} of ${stored.trials.length} trials done${kept > 0 ? ` (${kept} kept from before)` : ''}`,
    ...(failed > 0 ? [`${failed} failed (perflaw results says why)`] : []),
    formatDuration(seconds),
    relative('.', store.path) || '.',
  ];
  return parts.join(', ');
}

/** The file that is there is this command's, made for these words; or it is said how they differ. */
async function goOnWith({ data, file }: Target, wishes: Wishes): Promise<void> {
  const [{ readSweepFile }, { resolveSweep }] = await Promise.all([
    import('../sweep/file/spec.js'),
    import('../sweep/file/resolve.js'),
  ]);
  const sweep = resolveSweep(readSweepFile(file));
  const other = 'Name another file (--out other.yaml), or replace this one (--force).';
  if (!sameData(sweep, data))
    throw new UserError(`this sweep file is for other data, ${JSON.stringify(sweep.data)}`, {
      place: sweep.placeOf(['data']),
      remedy: other,
    });
  if (sweep.goal?.params === undefined && sweep.goal?.flops === undefined)
    throw new UserError('this sweep file has no goal, so there is nothing to answer', {
      place: file,
      remedy: `Add one, such as \`goal: {params: 50M, hours: 8}\`. ${other}`,
    });
  const differing = differences(sweep.goal, wishes);
  if (differing.length > 0)
    throw new UserError(`this sweep file was made for ${differing.join(' and ')}`, {
      place: sweep.placeOf(['goal']),
      remedy: `To go on with it, leave the option out; for another goal with the same trials, change \`goal:\` in it; to choose anew, --force (trials with the same settings are kept). ${other}`,
    });
  note(`${file} is there already: going on with it${goalWords(sweep.goal)}.`);
}

function goalWords({ params, hours }: Goal): string {
  const parts = [
    ...(params === undefined ? [] : [`at most ${formatCount(params)} parameters`]),
    ...(hours === undefined ? [] : [formatDuration(3600 * hours)]),
  ];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}

/** What the file aims at where the words ask for something else. */
function differences(goal: Goal, { hours, params, metric }: Wishes): string[] {
  const differs = (a: number | undefined, b: number | undefined) =>
    b !== undefined && (a === undefined || Math.abs(a - b) > 1e-3 * b);
  return [
    ...(differs(goal.hours, hours)
      ? [
          goal.hours === undefined
            ? `any time, not ${formatDuration(3600 * hours!)}`
            : `${formatDuration(3600 * goal.hours)}, not ${formatDuration(3600 * hours!)}`,
        ]
      : []),
    ...(differs(goal.params, params)
      ? [
          goal.params === undefined
            ? `any size, not ${formatCount(params!)} parameters`
            : `${formatCount(goal.params)} parameters, not ${formatCount(params!)}`,
        ]
      : []),
    ...(metric !== undefined && goal.metric !== metric
      ? [`${goal.metric ?? 'another metric'}, not ${metric}`]
      : []),
  ];
}

function sameData({ data }: Sweep, asked: string): boolean {
  if (typeof data !== 'string') return asked === 'synthetic';
  return data === asked || (existsSync(asked) && resolve(data) === resolve(asked));
}

/** Results of other interactions under the same name are no part of this answer. */
function refuseOtherData({ store, stored }: PreparedSweep, { data }: Target): void {
  let before: string;
  try {
    before = store.readPlan().data.hash;
  } catch {
    return; // Not run yet, or not readable: running it says what is wrong.
  }
  if (before === stored.data.hash) return;
  throw new UserError('the data is not what it was when its trials were trained', {
    place: data,
    remedy: 'Answer for the data as it is now with --force, or beside the old answer with --out other.yaml.',
  });
}

async function follow({ file }: Target, args: Arguments): Promise<number> {
  if (args['force'])
    throw new UserError('--watch only looks on, and --force writes', { remedy: 'Give one of the two.' });
  if (!existsSync(file))
    throw new UserError('nothing to watch: this sweep file is not there yet', {
      place: file,
      remedy: 'Begin it: the same command without --watch.',
    });
  return (await import('./sweep.js')).watch(file);
}
