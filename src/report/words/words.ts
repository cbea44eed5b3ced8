/** Numbers and lists as the report's sentences write them. */
import type { Direction } from '../../law/points/direction.js';
import { formatCount } from '../../util/format.js';

/** A metric or another share: four decimals. */
export function share(value: number): string {
  return value.toFixed(4);
}

/** A small difference of metrics: four decimals, or two digits where four decimals would be all zeros. */
export function difference(value: number): string {
  return Math.abs(value) >= 5e-4 || value === 0 ? value.toFixed(4) : value.toPrecision(2);
}

/** What is lost by taking `other` for the best, never below 0. */
export function lost(direction: Direction, best: number, other: number): number {
  return Math.max(0, direction === 'minimize' ? other - best : best - other);
}

/** `12 %`, `1.3 %`; the sign is the caller's word. */
export function percent(value: number): string {
  const size = Math.abs(value) * 100;
  if (size >= 99 && size < 100) return `${Math.min(99.9, Math.round(size * 10) / 10).toFixed(1)} %`;
  return `${size >= 10 ? size.toFixed(0) : size >= 0.095 ? size.toFixed(1) : size.toPrecision(1)} %`;
}

/** Any number in a table: enough digits to recompute with, not more. */
export function digits(value: number, significant = 4): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-4 && size > 0)) return value.toExponential(significant - 1);
  return size >= 1000 ? value.toFixed(0) : value.toPrecision(significant);
}

/** `1 layer`, `3 layers`. */
export function count(n: number, noun: string, plural = `${noun}s`): string {
  return `${n} ${n === 1 ? noun : plural}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words[words.length - 1]}`;
}

/** `2 layers, dim 64`. */
export function shape(configuration: { layers: number; dim: number }): string {
  return `${count(round(configuration.layers), 'layer')}, dim ${round(configuration.dim)}`;
}

/** A slice in a sentence: `all the data`, `the slice users=0.5`. */
export function sliceWords(label: string): string {
  return label === 'all' ? 'all the data' : `the slice ${label}`;
}

/** `290.9k parameters`. */
export function parameters(n: number): string {
  return `${formatCount(n)} parameters`;
}

/** One decimal where a fitted optimum has one, none otherwise. */
export function round(value: number): number {
  return Number.isInteger(value) ? value : value >= 100 ? Math.round(value) : Math.round(value * 10) / 10;
}
