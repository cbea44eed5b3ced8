/** Histories of a table one user after another, for data larger than memory: DuckDB sorts, on disk where need be. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../../util/errors.js';
import { sqlText } from '../duckdb.js';
import { withRows } from '../read/open.js';
import type { ImportOptions } from './import.js';
import type { Identifier } from './raw.js';

export interface StreamOptions extends Omit<ImportOptions, 'name' | 'kCore' | 'timestamps' | 'duplicates'> {
  /** Memory that DuckDB may use to sort, e.g. `1GB`; the rest goes to `spill`. */
  memory?: string;
  /** A folder for what does not fit; the system's temporary one by default. */
  spill?: string;
  onNote?: (note: string) => void;
}

/**
 * Hands over each user's items in order, as numbers from 1 on by first appearance. Nothing is filtered (no k-core).
 * Memory: the sorter's share, one history, and the identifiers of the items.
 * @returns how many different items there were.
 * @throws UserError as `importFile` does.
 */
export async function eachHistory(
  path: string,
  options: StreamOptions,
  use: (history: number[]) => void,
): Promise<number> {
  const { memory = '1GB', spill: room = tmpdir(), onNote = () => {}, ...reading } = options;
  const codes = new Map<Identifier, number>();
  let user: Identifier | undefined;
  let history: number[] = [];
  const add = (nextUser: Identifier, item: Identifier) => {
    if (nextUser !== user) {
      if (history.length > 0) use(history);
      history = [];
      user = nextUser;
    }
    let code = codes.get(item);
    if (code === undefined) {
      code = codes.size + 1;
      codes.set(item, code);
    }
    history.push(code);
  };
  let spill: string;
  try {
    spill = mkdtempSync(join(room, 'perflaw-sort-'));
  } catch (error) {
    throw fileError(error, room, 'make a folder for sorting');
  }
  const settings = [`SET temp_directory = ${sqlText(spill)}`, `SET memory_limit = ${sqlText(memory)}`];
  try {
    const notes: string[] = [];
    await withRows(path, { ...reading, settings }, notes, async (rows) => {
      for (const note of notes) onNote(note);
      await rows.byHistory(add);
    });
  } finally {
    rmSync(spill, { recursive: true, force: true });
  }
  if (history.length > 0) use(history);
  return codes.size;
}
