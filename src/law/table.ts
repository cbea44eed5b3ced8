/**
 * Results measured elsewhere: a CSV, JSON or Parquet table with columns slice, layers, dim, hr@10, ndcg@10 and, where known,
 * tokens, apen, params, flops, seed, seconds and the model's settings. What `perflaw results --csv` writes is read back.
 */
import { accessSync, readFileSync } from 'node:fs';
import { basename, extname } from 'node:path';
import { fileError, UserError } from '../util/errors.js';
import { parseCount } from '../util/format.js';
import { nearest } from '../util/nearest.js';
import { parseCsv } from './csv.js';
import type { Observation } from './observation.js';

/** What a table of results holds. */
export interface Table {
  /** The file's name. */
  name: string;
  observations: Observation[];
  notes: string[];
}

type Cell = string | number | boolean | null | undefined;
interface RawRow {
  /** `runs.csv:12`, or `runs.json row 3`. */
  place: string;
  cells: Record<string, Cell>;
}

/** Other spellings of the columns, compared without case, spaces, dots, underscores and hyphens. */
const ALIASES: Record<string, string[]> = {
  slice: ['slice', 'dataset'],
  layers: [
    'layers',
    'nlayers',
    'numlayers',
    'layer',
    'nlayer',
    'depth',
    'blocks',
    'nblocks',
    'numblocks',
    'h',
  ],
  dim: ['dim', 'd', 'dmodel', 'hiddensize', 'embeddingsize', 'embeddingdim', 'embsize', 'width', 'hidden'],
  params: ['params', 'parameters', 'nparams', 'numparams', 'totalparams'],
  nonEmbeddingParams: ['nonembeddingparams', 'nonembedding', 'nonembeddingparameters'],
  flops: ['flops', 'trainingflops', 'compute'],
  tokens: ['tokens', 'ntokens', 'numtokens', 'interactions'],
  seed: ['seed', 'run', 'repeat'],
  seconds: ['seconds', 'time', 'trainingseconds'],
  hours: ['hours'],
  peakMemoryBytes: ['peakmemorybytes', 'memorybytes', 'peakmemory'],
  tokensPerSecond: ['tokenspersecond'],
  model: ['model', 'name'],
  dState: ['dstate', 'states'],
  dConv: ['dconv'],
  expand: ['expand'],
  headDim: ['headdim'],
  maxLength: ['maxlength', 'maxlen', 'seqlen'],
  dropout: ['dropout'],
  init: ['init'],
  status: ['status'],
};
const SETTINGS = ['model', 'dState', 'dConv', 'expand', 'headDim', 'maxLength', 'dropout', 'init'];
const POSITIVE = [
  'params',
  'nonEmbeddingParams',
  'flops',
  'tokens',
  'seconds',
  'hours',
  'peakMemoryBytes',
  'tokensPerSecond',
];
const METRIC =
  /^(?:(validation|masked|unmasked|test)[: _])?(hr|hit|hitrate|hitratio|ndcg|mrr|recall|map)[@_ -]?(\d+)$/i;
const QUALITY = /^(apen|.*entropy|lempel|shannon|compress|zlib|lz|repeat)/i;

const plain = (name: string) => name.toLowerCase().replace(/[\s._-]/g, '');

/** The name under which a metric's column is kept: `HR_10` and `hit@10` are hr@10. */
function metricName(column: string): string | undefined {
  const match = METRIC.exec(column.trim());
  if (!match) return undefined;
  const kind = match[2]!.toLowerCase();
  const set = match[1]?.toLowerCase();
  return `${set && set !== 'test' ? `${set}:` : ''}${kind.startsWith('hit') ? 'hr' : kind}@${match[3]}`;
}

/**
 * Reads a table of results.
 * @param path .csv, .tsv, .txt, .json, .jsonl, .ndjson or .parquet.
 * @param metric a column to take as the metric although its name is not one of the usual.
 * @throws UserError naming the row and the column at fault.
 */
export async function readTable(path: string, metric?: string): Promise<Table> {
  const rows = await readRows(path);
  const name = basename(path);
  if (rows.length === 0)
    throw new UserError('the table has no rows', {
      place: path,
      remedy: 'It needs a header and a row a run.',
    });
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row.cells)))];
  const known = new Map<string, string>();
  for (const column of columns)
    for (const [key, spellings] of Object.entries(ALIASES))
      if (spellings.includes(plain(column)) && ![...known.values()].includes(key)) known.set(column, key);
  const metrics = new Map<string, string>();
  for (const column of columns) {
    const own = metric !== undefined && column.toLowerCase() === metric.toLowerCase() ? column : undefined;
    const usual = own ?? (known.has(column) ? undefined : metricName(column));
    if (usual !== undefined) metrics.set(column, usual);
  }
  const find = (key: string) => [...known].find(([, value]) => value === key)?.[0];
  for (const key of ['layers', 'dim'])
    if (find(key) === undefined) {
      const near = columns.find((column) => nearest(plain(column), ALIASES[key]!) !== undefined);
      throw new UserError(`there is no column "${key}"`, {
        place: path,
        remedy: `The columns are ${columns.join(', ')}.${near ? ` Is "${near}" meant?` : ''} Rename one to ${key}.`,
      });
    }
  if (metrics.size === 0)
    throw new UserError('there is no column with a metric, such as hr@10 or ndcg@10', {
      place: path,
      remedy: `The columns are ${columns.join(', ')}; name one of them with --metric.`,
    });
  const notes: string[] = [];
  const ignored = columns.filter(
    (column) => !known.has(column) && !metrics.has(column) && !QUALITY.test(column),
  );
  const finished = rows.filter(({ cells }) => {
    const status = find('status');
    return (
      status === undefined || cells[status] === undefined || cells[status] === 'done' || cells[status] === ''
    );
  });
  if (finished.length < rows.length)
    notes.push(`${rows.length - finished.length} rows are left out: their status is not done`);
  const observations = finished.map((row) => toObservation(row, known, metrics, ignored));
  if (ignored.length > 0 && ignored.length <= 8) notes.push(`columns not used: ${ignored.join(', ')}`);
  return { name, observations, notes };
}

function toObservation(
  row: RawRow,
  known: Map<string, string>,
  metrics: Map<string, string>,
  ignored: readonly string[],
): Observation {
  const observation: Observation = { slice: 'all', layers: 0, dim: 0, metrics: {}, source: row.place };
  const quality: Record<string, number> = {};
  const config: Record<string, string | number> = {};
  for (const [column, cell] of Object.entries(row.cells)) {
    if (ignored.includes(column) || isEmpty(cell)) continue;
    const metric = metrics.get(column);
    const key = known.get(column);
    if (metric !== undefined) observation.metrics[metric] = number(row, column, cell, metricNumber);
    else if (key === 'slice') observation.slice = String(cell);
    else if (key === 'layers' || key === 'dim') observation[key] = number(row, column, cell, size);
    else if (key === 'seed') {
      const seed = Number(cell);
      if (Number.isInteger(seed)) observation.seed = seed;
    } else if (key === 'hours') observation.seconds = 3600 * number(row, column, cell, positive);
    else if (key !== undefined && POSITIVE.includes(key))
      Object.assign(observation, { [key]: number(row, column, cell, positive) });
    else if (key !== undefined && SETTINGS.includes(key)) {
      const value = typeof cell === 'number' ? cell : Number(cell);
      config[key] = Number.isFinite(value) ? value : String(cell);
    } else if (key === undefined) quality[column] = number(row, column, cell, (value) => value);
  }
  for (const key of ['layers', 'dim'] as const)
    if (observation[key] === 0)
      throw new UserError(`${key} is missing`, {
        place: row.place,
        remedy: 'Fill it in or leave the row out.',
      });
  if (Object.keys(quality).length > 0) observation.quality = quality;
  if (Object.keys(config).length > 0) observation.config = config;
  return observation;
}

const isEmpty = (cell: Cell) => cell === undefined || cell === null || cell === '';
const positive = (value: number) => (value > 0 ? value : undefined);
const size = (value: number) => (value > 0 && Number.isInteger(value) ? value : undefined);
/** NaN passes here and is refused by name when that metric is fitted. */
const metricNumber = (value: number) => value;

function number(
  row: RawRow,
  column: string,
  cell: Cell,
  check: (value: number) => number | undefined,
): number {
  const text = typeof cell === 'number' ? cell : String(cell).trim();
  const value =
    typeof text === 'number'
      ? text
      : /^[-+]?nan$/i.test(text)
        ? Number.NaN
        : /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text)
          ? Number(text)
          : parseCount(text);
  const checked = value === undefined ? undefined : check(value);
  if (checked !== undefined) return checked;
  const wants =
    check === size ? 'a whole number above 0' : check === positive ? 'a number above 0' : 'a number';
  throw new UserError(`column "${column}": "${cell}" is not ${wants}`, {
    place: row.place,
    remedy: 'Mend the cell, or leave it empty if it is not known.',
  });
}

async function readRows(path: string): Promise<RawRow[]> {
  const extension = extname(path).toLowerCase();
  if (extension === '.parquet') return readParquet(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'read this table');
  }
  if (text.includes('\0'))
    throw new UserError('this is not a text file', {
      place: path,
      remedy: 'A table is CSV, JSON or Parquet.',
    });
  if (text.trim() === '')
    throw new UserError('the table is empty', { place: path, remedy: 'It needs a header and a row a run.' });
  if (['.json', '.jsonl', '.ndjson'].includes(extension)) return jsonRows(text, path);
  return csvRows(text, path);
}

function csvRows(text: string, path: string): RawRow[] {
  const name = basename(path);
  const [header, ...rows] = parseCsv(text, name);
  const columns = header!.fields;
  const twice = columns.find((column, i) => columns.indexOf(column) !== i);
  if (twice !== undefined)
    throw new UserError(`the column "${twice}" is there twice`, {
      place: `${name}:${header!.line}`,
      remedy: 'Rename one.',
    });
  return rows.map(({ line, fields }) => {
    if (fields.length !== columns.length)
      throw new UserError(`${fields.length} fields where the header has ${columns.length}`, {
        place: `${name}:${line}`,
        remedy: 'Check for a missing or a stray delimiter.',
      });
    return {
      place: `${name}:${line}`,
      cells: Object.fromEntries(columns.map((column, i) => [column, fields[i]])),
    };
  });
}

function jsonRows(text: string, path: string): RawRow[] {
  const name = basename(path);
  const parse = (part: string, place: string): unknown => {
    try {
      return JSON.parse(part);
    } catch (error) {
      throw new UserError(`not valid JSON (${(error as Error).message})`, { place });
    }
  };
  const lines = text.trimStart().startsWith('[')
    ? undefined
    : text.split('\n').filter((line) => line.trim() !== '');
  let list: unknown;
  if (lines && lines.length > 1 && extname(path).toLowerCase() !== '.json')
    list = lines.map((line, i) => parse(line, `${name}:${i + 1}`));
  else {
    const value = parse(text, name);
    const rows = (value as { rows?: unknown } | null)?.rows;
    list = Array.isArray(value) ? value : Array.isArray(rows) ? rows : [value];
  }
  return (list as unknown[]).map((item, i) => {
    const place = `${name} row ${i + 1}`;
    if (item === null || typeof item !== 'object' || Array.isArray(item))
      throw new UserError('a row must be an object of column names and values', { place });
    return { place, cells: item as Record<string, Cell> };
  });
}

async function readParquet(path: string): Promise<RawRow[]> {
  try {
    accessSync(path);
  } catch (error) {
    throw fileError(error, path, 'read this table');
  }
  const { sqlText, withDuckDb } = await import('../data/duckdb.js');
  return withDuckDb(path, async (connection) => {
    const result = await connection.runAndReadAll(`SELECT * FROM read_parquet(${sqlText(path)})`);
    return result.getRowObjects().map((row, i) => ({
      place: `${basename(path)} row ${i + 1}`,
      cells: Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          typeof value === 'bigint'
            ? Number(value)
            : typeof value === 'object' && value !== null
              ? String(value)
              : (value as Cell),
        ]),
      ),
    }));
  });
}
