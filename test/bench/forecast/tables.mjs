/**
 * Tables of measured results as panels to predict: one for every slice and metric. Axes are layers and dim; where a table
 * counts data for every parameter (`multiplier`, `chinchillas`), they are that and the parameters. Rows of one place are repeats.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { FORM_NAMES } from '../../../dist/law/forms/forms.js';
import { isShare, namedDirection } from '../../../dist/law/points/direction.js';
import { roleNames, spellings } from '../../../dist/law/points/table/columns.js';

export const AXES = ['layers', 'dim'];
export const FORMS = FORM_NAMES.filter((form) => form !== 'logistic'); // needs FLOPs, which most tables lack

/** Long forms of another table, and curves along training: no panels of their own. */
const LEFT_OUT = /-(all-columns|curves)\.csv$/;
/** Tokens for each parameter that `chinchillas` counts in. */
const CHINCHILLA = 20;

/** How the axes of a table are called, the first that is there: what it counts in, then sizes, then data and parameters by any usual name. */
function axesOf(names) {
  const named = (role) =>
    names.find((name) => spellings(name).some((one) => roleNames(role).names.includes(one)));
  const pairs = [
    ['chinchillas', 'N'],
    ['multiplier', 'nonEmbeddingParams'],
    [named('layers'), named('dim')],
    [named('tokens'), named('nonEmbeddingParams') ?? named('params')],
  ];
  const [first, second] = pairs.find((pair) => pair.every((name) => names.includes(name))) ?? [];
  const tokens = first === named('tokens') ? undefined : named('tokens');
  return first && { first, second, slice: named('slice') ?? tokens, tokens };
}

/** Tokens of the models that the ladder was to predict: in their name, or in a column. */
const tokensOf = (row) => 1e12 * Number(/-(\d+)T/.exec(row.size ?? '')?.[1] ?? Number.NaN);

const isMetric = (name) =>
  isShare(name) || namedDirection(name) === 'minimize' || /_bpb$|CrossEntropy/.test(name) || isAccuracy(name);
/** Ranked multiple choice; the other wording of the same tasks stays at chance in small models and is left out. */
const isAccuracy = (name) => /_rc_5shot_(acc|len_norm)$/.test(name);

function rowsOf(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return {
    names,
    rows: lines.map((line) => {
      const cells = line.split(',');
      return Object.fromEntries(names.map((name, i) => [name, cells[i] ?? '']));
    }),
  };
}

const number = (text) => (text === undefined || text === '' ? Number.NaN : Number(text));

/** @returns the panels of every table of a folder, and the tables left out with the reason. */
export function readTables(folder) {
  const panels = [];
  const left = [];
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith('.csv')) continue;
    if (LEFT_OUT.test(file)) {
      left.push({ file, reason: 'a longer form of another table' });
      continue;
    }
    const { names, rows } = rowsOf(join(folder, file));
    const axes = axesOf(names);
    const metrics = names.filter(isMetric);
    if (!axes || metrics.length === 0) {
      left.push({
        file,
        reason: axes ? 'no metric' : 'no columns of layers and dim, or of tokens and params',
      });
      continue;
    }
    for (const metric of metrics)
      for (const [slice, points] of slices(rows, axes, metric))
        panels.push({
          family: familyOf(basename(file, '.csv'), metric),
          slice,
          metric,
          direction: isShare(metric) || isAccuracy(metric) ? 'maximize' : 'minimize',
          words: { layers: axes.first, dim: axes.second },
          tokens: points[0].tokens,
          points,
        });
  }
  return { panels, left };
}

const familyOf = (table, metric) => (isAccuracy(metric) ? `${table}, accuracy` : table);

function slices(rows, { first, second, slice: column, tokens }, metric) {
  const found = new Map();
  for (const row of rows) {
    const value = number(row[metric]);
    const dim = number(row[second]);
    const given = number(row[first]);
    const layers = given > 0 ? given : tokensOf(row) / (CHINCHILLA * dim);
    if (!(layers > 0 && dim > 0) || !Number.isFinite(value)) continue;
    const slice = row[column] ?? 'all';
    const places = found.get(slice) ?? new Map();
    found.set(slice, places);
    const key = `${layers}/${dim}`;
    const point = places.get(key) ?? {
      slice,
      x: { layers, dim },
      tokens: number(row[tokens]),
      runs: [],
      value: 0,
    };
    places.set(key, point);
    point.runs.push(value);
    point.value = point.runs.reduce((a, b) => a + b, 0) / point.runs.length;
  }
  return [...found].map(([slice, places]) => [slice, [...places.values()]]);
}
