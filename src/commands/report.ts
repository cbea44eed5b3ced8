/** `perflaw report`: one self-contained HTML page of a sweep, and its figures as SVG and PNG. */
import { join, relative, resolve } from 'node:path';
import type { Argv } from 'yargs';
import { askedDirection } from '../law/points/direction.js';
import { answerCards, shortfall } from '../report/page/answer.js';
import { gatherReport } from '../report/view/gather.js';
import { readSweepRecords } from '../report/view/read.js';
import { REPORT_FORMATS, type ReportFormat, writeReport } from '../report/write.js';
import { ExitCode, UserError } from '../util/errors.js';
import { type Arguments, note, print, printJson } from './options/command.js';

export function options(yargs: Argv): Argv {
  return yargs
    .positional('runs', {
      type: 'string',
      describe: "A sweep's folder or name; the last sweep where none is given",
    })
    .option('metric', {
      type: 'string',
      describe:
        'Metric of the law and its figures, e.g. hr@10 or validation:ndcg@10 [default: what the sweep selected on]',
    })
    .option('minimize', { type: 'boolean', describe: 'Lower is better [default: by the name of the metric]' })
    .option('maximize', { type: 'boolean', describe: 'Larger is better' })
    .option('form', {
      type: 'string',
      describe: 'Form of the law [default: the one with the least error on unseen points]',
    })
    .option('ignore', {
      type: 'string',
      array: true,
      nargs: 1,
      describe: 'A setting of the sweep to leave out; may be given several times',
    })
    .option('out', { type: 'string', describe: "Folder to write to [default: the sweep's own]" })
    .option('format', {
      array: true,
      choices: REPORT_FORMATS,
      describe: 'What to write; may be given several times [default: all]',
    })
    .example('$0 report', 'The last sweep: report.html and figures/ in its folder')
    .example('$0 report ml100k --metric hr@10 --out /tmp/ml100k', 'Another metric, another folder')
    .example('$0 report ml100k --format svg', 'The figures alone, as SVG');
}

/** Writes the report: what there is to say of it as one JSON value, as words, and where it lies as lines. */
export async function reportRuns(
  args: Arguments,
): Promise<{ json: object; answers: string[]; places: string[] }> {
  const runs = args['runs'] as string | undefined;
  const metric = args['metric'] as string | undefined;
  const direction = askedDirection(args['minimize'], args['maximize']);
  const form = args['form'] as string | undefined;
  const ignore = args['ignore'] as string[] | undefined;
  const formats = (args['format'] as ReportFormat[] | undefined) ?? REPORT_FORMATS;
  const sweep = readSweepRecords(runs);
  if (sweep.done.length + sweep.failed.length === 0)
    throw new UserError('no trial of this sweep has a result yet', {
      place: sweep.path,
      remedy: 'Run `perflaw sweep` with its file, or wait for the first trial.',
    });
  for (const { path, reason } of sweep.damaged) note(`${path}: left out, ${reason}`);
  const input = await gatherReport(sweep, { metric, form, direction, ignore });
  const folder = args['out'] === undefined ? sweep.path : resolve(String(args['out']));
  const written = await writeReport(input, folder, formats);
  const problem = shortfall(input);
  const cards = answerCards(input);
  const figures = `${shown(join(folder, 'figures'))} (${written.figures.length})`;
  return {
    json: {
      sweep: sweep.name,
      metric: input.metric,
      page: written.page,
      answer: cards,
      shortfall: problem,
      losses: input.losses,
      figures: written.figures,
      absent: written.absent,
      trials: { done: input.done.length, failed: input.failed.length, pending: sweep.pending },
    },
    answers: [
      ...(problem ? [problem] : []),
      ...cards.map(({ question, headline, words }) => `${question}: ${headline}\n  ${words}`),
    ],
    places: [
      ...(written.page ? [`Report:  ${shown(written.page)}`] : []),
      ...(formats.some((format) => format !== 'html') ? [`Figures: ${figures}`] : []),
    ],
  };
}

function shown(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}

export async function run(args: Arguments): Promise<number> {
  const { json, answers, places } = await reportRuns(args);
  if (args.json) {
    printJson(json);
    return ExitCode.ok;
  }
  for (const text of answers) print(`${text}\n`);
  for (const text of places) print(text);
  return ExitCode.ok;
}
