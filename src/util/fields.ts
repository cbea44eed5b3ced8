/** Kinds of values that people write in files and options: what is accepted, in which words a wrong one is refused. */
import { z } from 'zod';
import { parseCount } from './format.js';

interface Range {
  min?: number;
  max?: number;
  /** The bound itself is not allowed. */
  above?: number;
  below?: number;
}

const inRange = (value: number, { min, max, above, below }: Range) =>
  !(
    value < (min ?? -Infinity) ||
    value > (max ?? Infinity) ||
    value <= (above ?? -Infinity) ||
    value >= (below ?? Infinity)
  );

function rangeWords({ min, max, above, below }: Range): string {
  const low = min !== undefined ? ` from ${min}` : above !== undefined ? ` above ${above}` : '';
  const high = max !== undefined ? ` up to ${max}` : below !== undefined ? ` below ${below}` : '';
  return low + high;
}

/** A number written as such or as `50M`, `1e6`, `1_000`. */
function number(kind: 'whole' | 'real', range: Range, description: string) {
  const words = `expected a ${kind === 'whole' ? 'whole number' : 'number'}${rangeWords(range)}`;
  return z
    .union([z.number(), z.string()], { error: () => words })
    .transform((value, context) => {
      const parsed = parseCount(value);
      if (
        parsed === undefined ||
        !inRange(parsed, range) ||
        (kind === 'whole' && !Number.isSafeInteger(parsed))
      ) {
        context.addIssue({ code: 'custom', message: words });
        return z.NEVER;
      }
      return parsed;
    })
    .meta({ description });
}
export const whole = (range: Range, description: string) => number('whole', range, description);
export const real = (range: Range, description: string) => number('real', range, description);

export function choice<const T extends [string, ...string[]]>(values: T, description: string) {
  return z.enum(values, { error: () => `expected one of ${values.join(', ')}` }).meta({ description });
}

export const text = (pattern: RegExp, words: string, description: string) =>
  z
    .string({ error: () => words })
    .regex(pattern, { error: words })
    .meta({ description });

/** A quantity with a unit, read into its base unit. */
function quantity(units: Record<string, number>, words: string, description: string) {
  return z
    .union([z.number(), z.string()], { error: () => words })
    .transform((value, context) => {
      const match = /^\s*([0-9.]+(?:e[+-]?[0-9]+)?)\s*([a-z]*)\s*$/i.exec(String(value));
      const unit = match && units[match[2]!.toLowerCase()];
      const size = match && unit !== undefined ? Number(match[1]) * unit! : Number.NaN;
      if (!(size > 0 && Number.isFinite(size))) {
        context.addIssue({ code: 'custom', message: words });
        return z.NEVER;
      }
      return size;
    })
    .meta({ description });
}
const KIB = 1024;
export const bytes = (description: string) =>
  quantity(
    {
      b: 1,
      kb: 1e3,
      mb: 1e6,
      gb: 1e9,
      tb: 1e12,
      kib: KIB,
      mib: KIB ** 2,
      gib: KIB ** 3,
      tib: KIB ** 4,
    },
    'expected a size with its unit, such as 4GiB',
    description,
  );
export const duration = (description: string) =>
  quantity(
    { s: 1, sec: 1, min: 60, m: 60, h: 3600, hours: 3600, d: 86_400, days: 86_400 },
    'expected a time with its unit, such as 30min or 2h',
    description,
  );

/** "expected X" for a wrong type; zod's own issue (unknown keys above all) otherwise. */
export function named(words: string) {
  return (issue: { code: string }) =>
    issue.code === 'invalid_type' || issue.code === 'invalid_union' ? `expected ${words}` : undefined;
}

/** The same fields, each of which may be absent. */
export const optionalAll = <T extends z.ZodRawShape>(shape: T) =>
  Object.fromEntries(Object.entries(shape).map(([k, v]) => [k, (v as z.ZodType).optional()])) as {
    [K in keyof T]: z.ZodOptional<T[K] & z.ZodType>;
  };
