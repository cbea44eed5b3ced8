/** Which rows of a table are finished runs, in the words of Optuna, MLflow, Weights & Biases, Ray Tune, Slurm and perflaw. */
import { UserError } from '../../../util/errors.js';
import { isMissing } from './cells.js';
import type { Cell, RawRow } from './rows.js';

const FINISHED = new Set(
  'done complete completed finished success succeeded successful terminated ok passed true yes'.split(' '),
);
const UNFINISHED = new Set(
  (
    'failed fail failure error errored crashed killed pruned running waiting pending scheduled queued open paused ' +
    'preempted preempting cancelled canceled aborted interrupted timeout oom out_of_memory node_fail diverged halved ' +
    'unfinished incomplete false no suspended requeued restoring'
  ).split(' '),
);

/** `TrialState.COMPLETE` and ` Finished ` as `complete`, `finished`. */
const wordOf = (cell: Cell) =>
  String(cell)
    .trim()
    .replace(/^.*\./, '')
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');

const isKnown = (cell: Cell) => FINISHED.has(wordOf(cell)) || UNFINISHED.has(wordOf(cell));

/** Names of columns that may hold it; all but the first need a known word in them, for a state may be a size. */
const NAMES = [
  'status',
  'state',
  'runstatus',
  'runstate',
  'trialstate',
  'trialstatus',
  'jobstatus',
  'jobstate',
];
const FLAGS = ['done', 'finished', 'complete', 'completed'];

/** The columns of a table that say whether a run was finished. */
export function statusColumns(
  rows: readonly RawRow[],
  columns: readonly string[],
  plain: (column: string) => string[],
): string[] {
  return columns.filter((column) => {
    const names = plain(column);
    const cells = rows.map((row) => row.cells[column]).filter((cell) => !isMissing(cell));
    if (cells.length === 0) return false;
    if (names.some((name) => FLAGS.includes(name)))
      return cells.every((cell) => /^(true|false|yes|no)$/.test(wordOf(cell)));
    return names.some((name) => NAMES.includes(name)) && (names.includes('status') || cells.some(isKnown));
  });
}

/**
 * The finished rows, and what is to be said of the others. Rows without a word are kept.
 * @throws UserError for a word that is none of those known.
 */
export function finishedRows(
  rows: readonly RawRow[],
  columns: readonly string[],
): { rows: RawRow[]; notes: string[] } {
  const counts = new Map<string, number>();
  const silent = rows.filter(({ cells }) => columns.every((column) => isMissing(cells[column]))).length;
  const kept = rows.filter(({ place, cells }) => {
    for (const column of columns) {
      const cell = cells[column];
      if (isMissing(cell) || FINISHED.has(wordOf(cell))) continue;
      if (!UNFINISHED.has(wordOf(cell)))
        throw new UserError(`column "${column}": "${cell}" is no status that is known`, {
          place,
          remedy: `Write done for a finished run and failed or running for another, or give --ignore "${column}" to take every row.`,
        });
      const word = /^(true|false|yes|no)$/.test(wordOf(cell)) ? `${column} ${cell}` : String(cell).trim();
      counts.set(word, (counts.get(word) ?? 0) + 1);
      return false;
    }
    return true;
  });
  const notes: string[] = [];
  if (counts.size > 0)
    notes.push(
      `${[...counts].map(([word, n]) => `${n} ${word}`).join(', ')} left out: only finished runs are fitted (${columns.join(', ')})`,
    );
  if (columns.length > 0 && silent > 0)
    notes.push(
      `${silent} ${silent === 1 ? 'row has' : 'rows have'} no ${columns.join(' and no ')} and ${silent === 1 ? 'is' : 'are'} kept`,
    );
  return { rows: kept, notes };
}
