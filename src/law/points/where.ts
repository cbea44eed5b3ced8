/** Runs that meet a condition: `layers>1`, `model=mamba4rec`, `dim<=128`; by size, slice, seed, cost, settings and metrics. */
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import type { Observation } from './observation.js';

const FIELDS = ['layers', 'dim', 'slice', 'seed', 'tokens', 'params', 'nonEmbeddingParams', 'flops'] as const;
const CONDITION = /^\s*([^<>=!]+?)\s*(>=|<=|!=|==|=|>|<)\s*(.*?)\s*$/;

type Value = string | number | undefined;

const COMPARE: Record<string, (a: number, b: number) => boolean> = {
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
};

/** @throws UserError where `text` is no condition, or compares words by size. */
function condition(text: string, names: readonly string[]): (one: Observation) => boolean {
  const match = CONDITION.exec(text);
  const remedy = 'Write a name, one of >= <= != = > <, and a value: --where "layers>1".';
  if (!match || match[3] === '')
    throw new UserError(`"${text}" is no condition`, { place: '--where', remedy });
  const [, given, operator, wanted] = match as unknown as [string, string, string, string];
  const name = names.find((one) => one.toLowerCase() === given.toLowerCase());
  if (name === undefined) {
    const near = nearest(given, names);
    throw new UserError(`there is no "${given}" to compare`, {
      place: '--where',
      remedy: `There are ${names.join(', ')}.${near ? ` Is "${near}" meant?` : ''}`,
    });
  }
  const read = (one: Observation): Value =>
    FIELDS.includes(name as never)
      ? one[name as (typeof FIELDS)[number]]
      : (one.config?.[name] ?? one.metrics[name]);
  const compare = COMPARE[operator];
  if (compare) {
    if (Number.isNaN(Number(wanted)))
      throw new UserError(`"${wanted}" is no number`, { place: `--where "${text}"`, remedy });
    return (one) => {
      const value = read(one);
      return value !== undefined && compare(Number(value), Number(wanted));
    };
  }
  const isEqual = (value: Value) =>
    value !== undefined && (String(value) === wanted || Number(value) === Number(wanted));
  return (one) => isEqual(read(one)) === (operator !== '!=');
}

/**
 * The runs that meet every condition; several stand in one text with `and`.
 * @throws UserError for what is no condition, for a name that no run has, and where no run is left.
 */
export function keepWhere(observations: readonly Observation[], texts: readonly string[]): Observation[] {
  const names = [
    ...FIELDS.filter((field) => observations.some((one) => one[field] !== undefined)),
    ...new Set(observations.flatMap(({ config }) => Object.keys(config ?? {}))),
    ...new Set(observations.flatMap(({ metrics }) => Object.keys(metrics))),
  ];
  const conditions = texts.flatMap((text) => text.split(/\s+and\s+/i)).map((text) => condition(text, names));
  const kept = observations.filter((one) => conditions.every((meets) => meets(one)));
  if (kept.length === 0)
    throw new UserError('no run meets the condition', {
      place: `--where "${texts.join('" --where "')}"`,
      remedy: `There are ${observations.length} runs, of layers ${spanOf(observations, 'layers')} and dim ${spanOf(observations, 'dim')}.`,
    });
  return kept;
}

function spanOf(observations: readonly Observation[], key: 'layers' | 'dim'): string {
  const values = observations.map((one) => one[key]);
  return `${Math.min(...values)} to ${Math.max(...values)}`;
}
