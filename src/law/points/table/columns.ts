/**
 * Which column of a table is what: by the usual names, with or without what Optuna, MLflow, Weights & Biases and Ray Tune put
 * before them. Vague names and single letters count only where nothing else fits; what could be two things is said or refused.
 */
import { UserError } from '../../../util/errors.js';
import { nearest } from '../../../util/nearest.js';
import { isShare, namedDirection } from '../direction.js';
import { isMissing, isNumeric, type NumberKind, POSITIVE, readNumber, SIZE, WHOLE } from './cells.js';
import type { RawRow, RawTable } from './rows.js';

export type Role = keyof typeof ROLES;

interface RoleNames {
  names: string[];
  /** Names that mean other things as often. */
  vague?: string[];
  kind?: NumberKind;
  /** Whether it is one of the model's settings. */
  setting?: boolean;
}

/** Spellings are compared in small letters without spaces, dots, underscores, hyphens and slashes; the first is our own. */
const ROLES = {
  slice: { names: ['slice', 'dataset', 'datasetname'] },
  layers: {
    names: (
      'layers nlayers numlayers layer nlayer depth blocks nblocks numblocks numhiddenlayers nhiddenlayers hiddenlayers ' +
      'numberoflayers numlayer layernum layersnum numtransformerlayers numencoderlayers numtransformerblocks'
    ).split(' '),
    vague: ['h', 'l'],
    kind: SIZE,
  },
  dim: {
    names: (
      'dim dmodel hiddensize embeddingsize embeddingdim embsize width hidden hiddendim embeddim embdim nembd modeldim ' +
      'dimmodel hiddenunits hiddendimension embeddingdimension itemembeddingdim dimension embedding latentdim'
    ).split(' '),
    vague: ['d', 'units'],
    kind: SIZE,
  },
  params: {
    names:
      'params parameters nparams numparams totalparams numparameters nparameters paramcount totalparameters paramscount'.split(
        ' ',
      ),
    kind: POSITIVE,
  },
  nonEmbeddingParams: {
    names: ['nonembeddingparams', 'nonembedding', 'nonembeddingparameters', 'paramsnonembedding'],
    kind: POSITIVE,
  },
  flops: {
    names: ['flops', 'trainingflops', 'totalflops', 'trainflops'],
    vague: ['compute'],
    kind: POSITIVE,
  },
  tokens: { names: ['tokens', 'ntokens', 'numtokens', 'interactions', 'numinteractions'], kind: POSITIVE },
  seed: {
    names: ['seed', 'randomseed', 'rngseed'],
    vague: ['run', 'repeat', 'rep', 'replicate', 'repetition', 'trial', 'fold'],
    kind: WHOLE,
  },
  seconds: {
    names: ['seconds', 'trainingseconds', 'trainseconds', 'timetotals', 'trainingtime', 'traintime'],
    vague: ['time', 'runtime'],
    kind: POSITIVE,
  },
  hours: { names: ['hours', 'gpuhours', 'traininghours'], kind: POSITIVE },
  peakMemoryBytes: { names: ['peakmemorybytes', 'memorybytes', 'peakmemory'], kind: POSITIVE },
  trainingTokens: { names: ['trainingtokens'], kind: POSITIVE },
  tokensPerSecond: { names: ['tokenspersecond'], kind: POSITIVE },
  model: { names: ['model', 'modelname', 'arch', 'architecture'], setting: true },
  dState: { names: ['dstate', 'states'], setting: true },
  dConv: { names: ['dconv'], setting: true },
  expand: { names: ['expand'], setting: true },
  headDim: { names: ['headdim'], setting: true },
  maxLength: { names: ['maxlength', 'maxlen', 'seqlen', 'maxseqlen', 'maxsequencelength'], setting: true },
  dropout: { names: ['dropout', 'dropoutrate'], setting: true },
  init: { names: ['init'], setting: true },
} satisfies Record<string, RoleNames>;

const KEYS = Object.keys(ROLES) as Role[];
export const roleNames = (role: Role): RoleNames => ROLES[role];

/** What trackers put before settings, and before what came out. */
const BEFORE =
  /^(params|param|config|hparams|hyperparameters|user_attrs|attrs|tags|run|metrics|summary|values)[._/]+(?=.)/i;
const BEFORE_OUTCOME = /^(metrics|summary|values|system_attrs)[._/]|^value$/i;

/** The name without what a tracker puts before it. */
export const bare = (column: string) => column.trim().replace(BEFORE, '');
export const isOutcome = (column: string) => BEFORE_OUTCOME.test(column);

const plain = (name: string) => name.toLowerCase().replace(/[\s._/-]/g, '');
/** A name as written, and without what stands before it. */
export const spellings = (column: string) => [...new Set([plain(column.trim()), plain(bare(column))])];

const METRIC =
  /^(?:(validation|valid|val|dev|eval|test|train|training|masked|unmasked)[:_/. -]+)?(hit[_ ]?ratio|hit[_ ]?rate|hits?|hr|ndcg|mrr|recall|map|precision)(?:@|_at_|[_ /-])?(\d+)$/i;
const SETS: Record<string, string> = {
  test: '',
  validation: 'validation:',
  valid: 'validation:',
  val: 'validation:',
  dev: 'validation:',
  eval: 'validation:',
  train: 'train:',
  training: 'train:',
  masked: 'masked:',
  unmasked: 'unmasked:',
};
/** What people write behind a percentage: `HR@10 (%)`, `hr@10_pct`. */
export const PERCENT = /[\s_([-]*(%|pct|percent(age)?s?)[\])]?$/i;
const QUALITY = /^(apen|.*entropy|lempel|shannon|surprisal|compress|zlib|lz|repeat)/i;

/** The name under which a metric's column is kept: `HR_10`, `hit@10` and `metrics.hr_at_10` are hr@10; a loss keeps its own. */
function metricName(column: string, rows: readonly RawRow[]): string | undefined {
  const name = bare(column);
  const match = METRIC.exec(name.replace(PERCENT, ''));
  if (match) {
    const kind = match[2]!.toLowerCase();
    return `${SETS[match[1]?.toLowerCase() ?? 'test']}${kind.startsWith('hit') ? 'hr' : kind}@${match[3]}`;
  }
  // a column may be called loss and hold the kind of loss, or error and hold its message
  if (/^se:/i.test(name)) return undefined; // a standard error, as `perflaw results` names it
  const known =
    namedDirection(name) === 'minimize' || (isShare(name) && !/^(popularity|random|baseline)/i.test(name));
  return known && isNumeric(rows, column) ? name : undefined;
}

/** What the columns of a table were taken for. */
export interface Columns {
  roles: Partial<Record<Role, string>>;
  /** Metric by column. */
  metrics: Map<string, string>;
  quality: string[];
  /** The others, which may be settings. */
  rest: string[];
  notes: string[];
}

/**
 * Finds the columns by their names.
 * @param taken columns that are spoken for already: those with the status.
 * @param metric the metric asked for, a column's name or the usual spelling.
 * @throws UserError where layers, dim or a metric is missing, or where two columns could be layers, or dim.
 */
export function understand(
  { columns: all, rows }: RawTable,
  path: string,
  taken: readonly string[],
  metric?: string,
): Columns {
  const columns = all.filter((column) => !taken.includes(column));
  const notes: string[] = [];
  const asked = askedColumn(columns, metric);
  const roles: Columns['roles'] = {};
  const used = new Set<string>(asked === undefined ? [] : [asked]);
  const fits = (role: Role, column: string) => {
    const { kind } = roleNames(role);
    return kind === undefined || rows.every(({ cells }) => holds(cells[column], kind));
  };
  const steps: ((role: Role, column: string) => boolean)[] = [
    (role, column) => spellings(column).some((name) => roleNames(role).names.includes(name)),
    (role, column) => roleNames(role).names.includes(lastPart(column)) && fits(role, column),
    // a vague name only where all of its values fit: a time may be a date, a run a name
    (role, column) =>
      spellings(column).some((name) => roleNames(role).vague?.includes(name)) && fits(role, column),
  ];
  for (const matches of steps)
    for (const role of KEYS) {
      if (roles[role] !== undefined) continue;
      const found = columns.filter((column) => !used.has(column) && matches(role, column));
      if (found.length === 0) continue;
      const column = choose(role, found, rows, path, notes);
      roles[role] = column;
      used.add(column);
    }
  for (const role of ['layers', 'dim'] as const)
    if (roles[role] === undefined) {
      const near = columns.find((column) => nearest(plain(bare(column)), ROLES[role].names) !== undefined);
      throw new UserError(`there is no column "${role}"`, {
        place: path,
        remedy: `The columns are ${some(all)}.${near ? ` Is "${near}" meant?` : ''} Rename one to ${role}.`,
      });
    }
  const metrics = new Map<string, string>();
  if (asked !== undefined)
    metrics.set(asked, asked.toLowerCase() === metric!.toLowerCase() ? asked : metric!);
  for (const column of columns) {
    const name = used.has(column) ? undefined : metricName(column, rows);
    if (name === undefined) continue;
    const other = [...metrics].find(([, known]) => known.toLowerCase() === name.toLowerCase())?.[0];
    metrics.set(column, other === undefined ? name : column);
    if (other !== undefined)
      notes.push(
        `"${other}" and "${column}" could both be ${name}: the first is taken; --metric "${column}" names the other`,
      );
  }
  if (metrics.size === 0) {
    const value = columns.find((column) => /^values?(_0)?$/i.test(column.trim()) && isNumeric(rows, column));
    if (value === undefined)
      throw new UserError('there is no column with a metric, such as hr@10, ndcg@10 or loss', {
        place: path,
        remedy: `The columns are ${some(all)}; name one of them with --metric.`,
      });
    metrics.set(value, value);
    notes.push(`no column has the name of a metric: "${value}" is taken for it`);
  }
  const free = columns.filter((column) => !used.has(column) && !metrics.has(column));
  const quality = free.filter((column) => QUALITY.test(bare(column)));
  return { roles, metrics, quality, rest: free.filter((column) => !quality.includes(column)), notes };
}

/** Names of columns for a message: a table may have hundreds. */
const some = (names: readonly string[]) =>
  names.length <= 30 ? names.join(', ') : `${names.slice(0, 30).join(', ')} and ${names.length - 30} more`;

/** The column that `--metric` names as it is written there, with or without what a tracker puts before it. */
function askedColumn(columns: readonly string[], metric: string | undefined): string | undefined {
  if (metric === undefined) return undefined;
  const wanted = metric.trim().toLowerCase();
  return (
    columns.find((column) => column === metric) ??
    columns.find((column) => column.trim().toLowerCase() === wanted) ??
    columns.find((column) => bare(column).toLowerCase() === wanted)
  );
}

const lastPart = (column: string) => plain(bare(column).split(/[./:]/).at(-1)!);

const holds = (cell: RawRow['cells'][string], kind: NumberKind) => {
  if (isMissing(cell)) return true;
  const value = readNumber(cell);
  return value !== undefined && kind.fits(value);
};

/** Of several columns for one role: our own name, else the one that varies; where that leaves two it is refused or said. */
function choose(
  role: Role,
  found: readonly string[],
  rows: readonly RawRow[],
  path: string,
  notes: string[],
): string {
  if (found.length === 1) return found[0]!;
  const valuesOf = (column: string) =>
    rows.map(({ cells }) => {
      const number = readNumber(cells[column]);
      return String(number ?? cells[column] ?? '').trim();
    });
  const varying = found.filter((column) => new Set(valuesOf(column)).size > 1);
  const list = varying.length > 0 ? varying : found;
  const own = found.find((column) => column.trim().toLowerCase() === role.toLowerCase());
  const [first, ...others] = own ? [own, ...found.filter((column) => column !== own)] : list;
  const different = others.filter((column) => valuesOf(column).join('\n') !== valuesOf(first!).join('\n'));
  if (!own && different.length > 0 && (role === 'layers' || role === 'dim'))
    throw new UserError(`"${first}" and "${different[0]}" could both be ${role}`, {
      place: path,
      remedy: `Leave one out with --ignore "${different[0]}", or rename the right one to ${role}.`,
    });
  notes.push(
    `${found.map((column) => `"${column}"`).join(' and ')} could ${found.length === 2 ? 'both' : 'all'} be ${role}: "${first}" is taken`,
  );
  return first!;
}
