/**
 * Learning rates that follow the width. Under Adam the best rate of a matrix falls with its number of inputs (Yang et al. 2022,
 * arXiv 2203.03466): a sweep over dims at one constant rate compares recipes as much as sizes.
 */
import type { LearningRate } from './config.js';

/** What the rate is at an embedding size: of the hidden matrices (model/width.ts), and of everything else. */
export interface RatesAt {
  hidden: number;
  others: number;
}

/** base (dim / anchor)^power, for all weights or for the hidden matrices alone; a plain number is itself. */
export function ratesAt(rate: LearningRate, dim: number): RatesAt {
  if (typeof rate === 'number') return { hidden: rate, others: rate };
  const followed = rate.base * (dim / rate.dim) ** rate.power;
  return { hidden: followed, others: rate.parts === 'hidden' ? rate.base : followed };
}

/** The rate written in one way: one that follows nothing is a plain number. */
export function plainRate(rate: LearningRate): LearningRate {
  if (typeof rate === 'number' || rate.power === 0) return typeof rate === 'number' ? rate : rate.base;
  const { base, dim, power, parts } = rate;
  return { base, dim, power, parts };
}

/** The rate as one setting, for tables and labels: a number, or the rule `0.001*(dim/64)^-1`. */
export function rateSetting(rate: LearningRate): number | string {
  if (typeof rate === 'number') return rate;
  const rule = `${rate.base}*(dim/${rate.dim})^${rate.power}`;
  return rate.parts === 'hidden' ? `${rule} of hidden matrices` : rule;
}
