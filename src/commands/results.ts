/** `perflaw results`: the trials of a sweep as a table, filtered, queried, exported. */
import type { Argv } from 'yargs';
import { curveRows, fullRow, type Row } from '../sweep/results/index-row.js';
import { varyingColumns } from '../sweep/results/varying.js';
import type { StoredTrial } from '../sweep/store/layout.js';
import { findSweep } from '../sweep/store/locate.js';
import type { TrialRecord } from '../sweep/store/record.js';
import { SweepStore } from '../sweep/store/store.js';
import { ExitCode, UserError } from '../util/errors.js';
import { writeAtomic } from '../util/files.js';
import { formatCount } from '../util/format.js';
import { formatRecords, formatTable, roomOn } from '../util/table.js';
import { type Arguments, note, print, printJson } from './options/command.js';

export function options(yargs: Argv): Argv {
  return yargs
    .positional('runs', {
      type: 'string',
      describe: "A sweep's folder or name; the last sweep where none is given",
    })
    .option('where', { type: 'string', describe: 'Keep the trials that meet this SQL condition' })
    .option('sql', { type: 'string', describe: 'Run this query over the tables trials and curves' })
    .option('csv', {
      type: 'string',
      // Without a name it is what many programs spell as a dash.
      coerce: (name?: string) => (name === '' ? '-' : name),
      describe: 'Write CSV to this file; without one, to standard output',
    })
    .option('parquet', { type: 'string', describe: 'Write a Parquet file' })
    .option('mlflow', {
      type: 'string',
      describe: 'Add the trials as MLflow runs to this folder (a file store)',
    })
    .option('columns', {
      type: 'string',
      describe: 'Columns to show, separated by commas; all for every one',
    })
    .option('k', {
      type: 'string',
      describe: 'Cut-offs to show instead of those of the training, separated by commas: from the ranks kept',
    })
    .conflicts('sql', ['where', 'mlflow'])
    .example('$0 results', 'The last sweep as a table')
    .example(`$0 results ml100k --where "layers >= 2 and status = 'done'"`, 'Some of its trials')
    .example(`$0 results --sql 'select dim, max("ndcg@10") from trials group by dim'`, 'Any question in SQL')
    .example('$0 results --k 1,5,50', 'Every metric at other cut-offs, without training anew')
    .example('$0 results --mlflow mlruns', 'MLflow runs, to see them where you already look')
    .example('$0 results --csv results.csv', 'Export; `perflaw fit results.csv` reads it back');
}

/** What is always shown, before and after the settings in which trials differ. */
const SHOWN = ['id', 'status', 'model', 'slice', 'layers', 'dim'];
const SHOWN_AFTER = ['seed', 'params', 'tokens'];

export async function run(args: Arguments): Promise<number> {
  // "--csv -" is how many programs spell standard output: the dash arrives as a positional.
  const runs = args['runs'] === '-' || args['runs'] === '' ? undefined : (args['runs'] as string | undefined);
  const store = new SweepStore(findSweep(runs));
  const plan = store.readPlan();
  const ks = cutOffs(args['k'], plan.data.numItems);
  const withoutRanks: string[] = [];
  const trials: Row[] = [];
  const recorded: { trial: StoredTrial; record: TrialRecord }[] = [];
  for (const trial of plan.trials) {
    const found = store.readTrial(trial.id, plan.numericVersion);
    if (found.state === 'damaged') note(`${found.path}: left out, this result ${found.reason}`);
    let record = found.state === 'done' || found.state === 'failed' ? found.record : undefined;
    if (ks && record?.status === 'done') {
      const { resultAt } = await import('../sweep/results/rank-metrics.js');
      try {
        record = { ...record, result: resultAt(record.result, store.readRanks(record), ks) };
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
        if (record.result.ranks) note(`${error.place}: ${error.message}`);
        else withoutRanks.push(trial.id);
      }
    }
    if (record) recorded.push({ trial, record });
    trials.push(fullRow(trial, record, plan.tuned));
  }
  if (withoutRanks.length > 0)
    note(
      `${withoutRanks.length} ${withoutRanks.length === 1 ? 'result was' : 'results were'} written before ranks were kept and ${withoutRanks.length === 1 ? 'has' : 'have'} only the cut-offs of the training: ${withoutRanks.slice(0, 6).join(', ')}${withoutRanks.length > 6 ? ', ...' : ''}`,
    );
  const select = String(plan.trials[0]?.config.evaluation.select ?? 'ndcg@10');
  const k = select.split('@')[1];
  let rows = trials;
  const { names: varying } = varyingColumns(
    plan.trials.map(({ config }) => config),
    SHOWN,
  );
  const metrics = ks
    ? ks.flatMap((one) => [`ndcg@${one}`, `hr@${one}`])
    : [`ndcg@${k}`, `hr@${k}`, `popularity:ndcg@${k}`];
  let names = [...SHOWN, ...varying, ...SHOWN_AFTER, ...metrics, 'seconds'];
  const where = args['where'] as string | undefined;
  const sql = (args['sql'] as string | undefined) ?? (where && `select * from trials where ${where}`);
  if (sql !== undefined) {
    const { queryRows } = await import('../sweep/results/query.js');
    const result = await queryRows(
      { trials, curves: recorded.flatMap(({ record }) => curveRows(record)) },
      sql,
    );
    rows = result.rows;
    if (args['sql'] !== undefined) names = result.names;
  }
  const chosen = args['columns'] !== undefined || args['sql'] !== undefined;
  names = chosenColumns(args['columns'], names, rows);
  const csv = args['csv'] as string | undefined;
  const parquet = args['parquet'] as string | undefined;
  if (csv === '-') process.stdout.write(csvText(rows));
  else if (csv !== undefined) writeAtomic(csv, csvText(rows));
  if (parquet !== undefined) await (await import('../sweep/results/query.js')).writeParquet(rows, parquet);
  const mlflow = args['mlflow'] as string | undefined;
  if (mlflow !== undefined) {
    const kept = new Set(rows.map((row) => row['id']));
    const { exportMlflow } = await import('../sweep/results/mlflow.js');
    const done = exportMlflow(
      plan.name,
      recorded.filter(({ trial }) => kept.has(trial.id)),
      mlflow,
    );
    note(`${mlflow}: ${done.runs} runs in experiment "${done.experiment}"`);
    note(`To see them: MLFLOW_ALLOW_FILE_STORE=true mlflow ui --backend-store-uri ${mlflow}`);
  }
  for (const path of [csv, parquet])
    if (path !== undefined && path !== '-') note(`${path}: ${rows.length} rows`);
  if (args.json) printJson(rows);
  else if (csv === undefined && parquet === undefined && mlflow === undefined) {
    print(shown(names, rows, chosen, `popularity:ndcg@${k}`));
    if (!chosen) printFailures(rows);
  }
  return ExitCode.ok;
}

/** Reasons told below the table; the columns reason and message hold them all. */
const MOST_FAILURES = 10;

/** Why trials failed, and what to do about it, which has no room in a table. */
function printFailures(rows: Row[]): void {
  const failed = rows.filter(({ status }) => status === 'failed');
  if (failed.length > 0) print();
  for (const { id, reason, message } of failed.slice(0, MOST_FAILURES))
    print(`Failed: trial ${id} (${reason}): ${message}`);
  if (failed.length > MOST_FAILURES)
    print(`... and ${failed.length - MOST_FAILURES} more: --columns id,reason,message`);
}

/** A table; columns that somebody asked for all stay, on their side where the terminal is too narrow. */
function shown(names: string[], rows: Row[], chosen: boolean, popularity: string): string {
  const cells = rows.map((row) =>
    names.map((name) => withError(cell(name, row[name]), chosen ? undefined : row[`se:${name}`])),
  );
  if (!chosen)
    return formatTable(names, cells, {
      spare: ['model', 'status', 'tokens', 'seconds', 'params', popularity, 'seed', 'slice', 'layers'],
    });
  const table = formatTable(names, cells);
  const room = roomOn(process.stdout);
  return table.split('\n').some((line) => line.length > room) ? formatRecords(names, cells) : table;
}

/** `0.1023 ± 0.0045`: the second is the standard error over users. */
function withError(text: string, error: string | number | null | undefined): string {
  return typeof error === 'number' ? `${text} ± ${Number(error.toPrecision(2))}` : text;
}

/** @throws UserError for what is no list of cut-offs below the number of items. */
function cutOffs(text: unknown, numItems: number): number[] | undefined {
  if (text === undefined) return undefined;
  const ks = [...new Set(String(text).split(',').map(Number))].sort((a, b) => a - b);
  const wrong = ks.find((k) => !Number.isInteger(k) || k < 1 || k >= numItems);
  if (wrong !== undefined || String(text).trim() === '')
    throw new UserError(`"${text}" is no list of cut-offs from 1 to ${numItems - 1}, one below the items`, {
      place: '--k',
      remedy: 'Give for instance --k 1,5,20.',
    });
  return ks;
}

function chosenColumns(wanted: unknown, names: string[], rows: Row[]): string[] {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  if (wanted === undefined) return names.filter((name) => rows.length === 0 || all.includes(name));
  if (wanted === 'all') return all;
  const chosen = String(wanted)
    .split(',')
    .map((name) => name.trim());
  const unknown = chosen.find((name) => !all.includes(name));
  if (unknown !== undefined)
    throw new UserError(`there is no column "${unknown}"`, { remedy: `Columns: ${all.join(', ')}.` });
  return chosen;
}

const COUNTS = new Set(['params', 'tokens', 'flops', 'nonEmbeddingParams', 'training_tokens']);

function cell(name: string, value: string | number | null | undefined): string {
  if (value === null || value === undefined) return '-';
  if (typeof value === 'string') return value;
  if (COUNTS.has(name)) return formatCount(value);
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(4)));
}

/** RFC 4180, all columns that any row has. */
export function csvText(rows: Row[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const quoted = (value: string | number | null | undefined) => {
    const text = value === null || value === undefined ? '' : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const line = (values: (string | number | null | undefined)[]) => `${values.map(quoted).join(',')}\n`;
  return line(names) + rows.map((row) => line(names.map((name) => row[name]))).join('');
}
