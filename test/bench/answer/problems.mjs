/**
 * Finished tables as goals: of every table, metric and slice one, decided among the configurations that were measured on that slice, from
 * runs of it and of the smaller slices. A table has layers and dim; slice, tokens, params, nonEmbeddingParams, flops or seconds where
 * they are known. Rows of one place are repeats.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fitSurrogate, scalesOf } from '../../../dist/law/goal/surrogate.js';
import { directionOf, isShare, namedDirection } from '../../../dist/law/points/direction.js';
import { seriesOf } from '../series.mjs';

const tokensBySlice = (rows) => new Map(rows.map(({ slice, tokens }) => [slice, number(tokens)]));
const number = (text) => (text === undefined || text === '' ? Number.NaN : Number(text));
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

function rowsOf(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return {
    names,
    rows: lines.map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i], cell]))),
  };
}

/** FLOPs, seconds, or what FLOPs are in proportion to: parameters outside the item table (or layers * dim^2) times tokens. */
function costOf(row) {
  for (const name of ['flops', 'seconds']) if (number(row[name]) > 0) return number(row[name]);
  const size = [row.nonEmbeddingParams, row.params].map(number).find((value) => value > 0);
  const tokens = number(row.tokens);
  return (size ?? number(row.layers) * number(row.dim) ** 2) * (tokens > 0 ? tokens : 1);
}

/** Fewer configurations are no choice. */
const FEWEST = 4;

/** @returns a goal for every table, metric and slice; `noise` is the deviation of one run, as a share of the metric. */
export function readProblems(paths) {
  return paths.flatMap((path) => {
    const { names, rows } = rowsOf(path);
    const usable = rows
      .map((row) => ({ ...row, slice: row.slice ?? 'all' }))
      .filter(({ layers, dim }) => number(layers) > 0 && number(dim) > 0);
    const metrics = names.filter((name) => isShare(name) || namedDirection(name));
    return metrics.flatMap((metric) =>
      seriesOf(tokensBySlice(usable)).flatMap((slices) =>
        slices.flatMap((target) => problemOf(basename(path, '.csv'), usable, metric, slices, target) ?? []),
      ),
    );
  });
}

function problemOf(table, rows, metric, slices, target) {
  const tokensOf = (name) => number(rows.find(({ slice }) => slice === name).tokens);
  const places = new Map();
  for (const row of rows) {
    const value = number(row[metric]);
    const isSmaller = tokensOf(row.slice) < tokensOf(target);
    if (!(value > 0) || !slices.includes(row.slice) || (row.slice !== target && !isSmaller)) continue;
    const key = [row.slice, row.layers, row.dim].join();
    const tokens = number(row.tokens);
    const place = places.get(key) ?? {
      id: String(places.size),
      seed: 0,
      layers: number(row.layers),
      dim: number(row.dim),
      slice: row.slice,
      ...(tokens > 0 ? { tokens } : {}),
      cost: costOf(row),
      values: [],
    };
    place.values.push(value);
    places.set(key, place);
  }
  const pool = [...places.values()];
  const options = pool.filter(({ slice }) => slice === target);
  if (options.length < FEWEST) return undefined;
  const direction = directionOf(metric);
  const told = pool.map((place) => ({ place, values: place.values }));
  const { noise } = fitSurrogate(told, scalesOf(pool), direction === 'minimize' ? -1 : 1);
  const truths = options.map(({ values }) => mean(values));
  for (const place of pool) place.truth = mean(place.values);
  const best = direction === 'minimize' ? Math.min(...truths) : Math.max(...truths);
  return {
    family: `${table} ${metric}`,
    target,
    pool,
    options,
    direction,
    noise,
    /** The same in units of the metric, which regrets are counted in. */
    unit: noise * mean(truths),
    best,
    total: pool.reduce((sum, { cost }) => sum + cost, 0),
  };
}
