/** What a goal may not ask of its sweep, said before anything is trained. */
import { UserError } from '../../util/errors.js';
import { formatCount, formatDuration } from '../../util/format.js';
import type { PlannedTrial } from './plan.js';
import type { Sweep } from './resolve.js';

/**
 * Checks the goal of a sweep against its plan.
 * @param secondsOf of a trial, by the speed that is expected.
 * @throws UserError for a metric that is not measured, limits that contradict each other, and limits below the smallest trial.
 */
export function checkGoal(
  sweep: Sweep,
  trials: readonly PlannedTrial[],
  secondsOf: (trial: PlannedTrial) => number,
): void {
  const { goal, evaluation, budget } = sweep;
  if (!goal) return;
  const refuse = (key: keyof typeof goal, message: string, remedy: string) => {
    throw new UserError(message, { place: sweep.placeOf(['goal', key]), remedy });
  };
  const { metric, params, flops, hours } = goal;
  if (metric !== undefined && !evaluation.ks.includes(Number(metric.split('@')[1])))
    refuse(
      'metric',
      `${metric} is not measured: evaluation.ks is [${evaluation.ks.join(', ')}]`,
      'Add its K to evaluation.ks.',
    );
  if (hours !== undefined && budget.hours !== undefined && budget.hours < hours)
    refuse(
      'hours',
      `the goal has ${formatDuration(3600 * hours)}, and budget.hours ends the sweep after ${formatDuration(3600 * budget.hours)} of compute`,
      'Keep one of them.',
    );
  const least = (of: (trial: PlannedTrial) => number) => trials.reduce((a, b) => (of(b) < of(a) ? b : a));
  const small = least(({ parameters }) => parameters);
  if (params !== undefined && small.parameters > params)
    refuse(
      'params',
      `no trial has ${formatCount(params)} parameters or fewer: the smallest, dim ${small.config.model.dim}, has ${formatCount(small.parameters)}`,
      'Allow more parameters, or plan smaller dims: the item table has a row of dim weights for every item.',
    );
  const cheap = least((trial) => trial.flops);
  if (flops !== undefined && cheap.flops > flops)
    refuse(
      'flops',
      `no trial takes ${formatCount(flops)} FLOPs or fewer: the cheapest takes ${formatCount(cheap.flops)}`,
      'Allow more FLOPs, or plan smaller models, fewer epochs or smaller slices.',
    );
  const seconds = Math.min(...trials.map(secondsOf));
  if (hours !== undefined && seconds > 3600 * hours)
    refuse(
      'hours',
      `${formatDuration(3600 * hours)} are too few: the cheapest trial alone takes about ${formatDuration(seconds)}`,
      'Give it more hours, or plan smaller models, fewer epochs or smaller slices.',
    );
}
