/** Histories of a table one user after another, for data larger than memory: DuckDB sorts, on disk where need be. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileError } from '../util/errors.js';
import { detectFormat } from './detect.js';
import { eachChunk, sqlText, withDuckDb } from './duckdb.js';
import type { ImportOptions } from './import.js';
import type { Identifier } from './raw.js';
import { planRows } from './rows.js';
import { readSequenceText } from './sequence-text.js';
import { openTable } from './table.js';

export interface StreamOptions extends Omit<ImportOptions, 'name' | 'kCore' | 'timestamps' | 'timeUnit'> {
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
  const asked = [options.user, options.item, options.time, options.order].filter(
    (name) => name !== undefined,
  );
  const detected = detectFormat(path, { ...options, asked });
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
  if (detected.kind === 'sequences') {
    const raw = await readSequenceText(path, detected.delimiter, detected.gzip);
    const rows = Int32Array.from({ length: raw.count }, (_, row) => row);
    rows.sort((a, b) => raw.users[a]! - raw.users[b]! || a - b);
    for (const row of rows) add(raw.userIds[raw.users[row]!]!, raw.itemIds[raw.items[row]!]!);
  } else {
    const notes: string[] = [];
    let spill: string;
    try {
      spill = mkdtempSync(join(options.spill ?? tmpdir(), 'perflaw-sort-'));
    } catch (error) {
      throw fileError(error, options.spill ?? tmpdir(), 'make a folder for sorting');
    }
    const settings = [
      `SET temp_directory = ${sqlText(spill)}`,
      `SET memory_limit = ${sqlText(options.memory ?? '1GB')}`,
    ];
    try {
      await withDuckDb(
        path,
        async (connection) => {
          const rows = planRows(await openTable(connection, path, detected), options, path, notes);
          for (const note of notes) options.onNote?.(note);
          await eachChunk(connection, rows.byHistory, (chunk) => rows.read(chunk, add));
        },
        settings,
      );
    } finally {
      rmSync(spill, { recursive: true, force: true });
    }
  }
  if (history.length > 0) use(history);
  return codes.size;
}
