/** Goals that no sweep can reach are refused with their place, before anything is trained. */
import { describe, expect, it } from 'vitest';
import { checkGoal } from '../../../src/sweep/file/goal.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { UserError } from '../../../src/util/errors.js';
import { smallPlan } from './small-plan.js';

// Of the small plan, size and FLOPs a token are the dim; it has 1,000 steps an epoch.
const GRID = 'training: {epochs: 2}\ngrid: {dim: [16, 32]}\n';

/** The error that a goal ends with; undefined where it may be. A trial takes a second a dim. */
function refusal(lines: string): UserError | undefined {
  const text = `data: d\n${GRID}${lines}\n`;
  const { source, problems } = checkSweepText(text, 'g.yaml');
  if (!source) throw new Error(JSON.stringify(problems));
  const { trials } = smallPlan(`${GRID}${lines}`);
  try {
    checkGoal(resolveSweep(source), trials, ({ config }) => config.model.dim);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return undefined;
}

describe('checkGoal', () => {
  it.each([
    ['no goal', 'seeds: [0]'],
    ['a goal within reach', 'goal: {params: 16, flops: 32000, hours: .005, metric: hr@20}'],
    ['a metric that ks names', 'evaluation: {ks: [50]}\ngoal: {params: 20, metric: mrr@50}'],
    ['hours within the budget', 'budget: {hours: 2}\ngoal: {params: 20, hours: 1}'],
  ])('takes %s', (_, lines) => expect(refusal(lines)).toBeUndefined());

  it.each([
    ['goal: {params: 15}', /no trial has 15 parameters or fewer: the smallest, dim 16, has 16/],
    ['goal: {params: 99, flops: 31k}', /no trial takes 31\.0k FLOPs or fewer: the cheapest takes 32\.0k/],
    ['goal: {params: 99, hours: .004}', /14 s are too few: the cheapest trial alone takes about 16 s/],
    ['goal: {params: 99, metric: ndcg@50}', /ndcg@50 is not measured: evaluation\.ks is \[5, 10, 20\]/],
    ['goal: {params: 99, hours: 2}\nbudget: {hours: 1}', /the goal has 2 h 00 min, and budget\.hours ends/],
  ])('refuses %s', (lines, message) => {
    const error = refusal(lines);
    expect(error?.message).toMatch(message);
    expect(error).toMatchObject({ exitCode: 2, remedy: expect.any(String) });
    expect(error!.place).toMatch(/^g\.yaml:4:\d+$/);
  });
});
