/** `tune:` in a sweep file: its cells are part of the plan, its role is kept with it, and what cannot be tuned is said. */
import { describe, expect, it } from 'vitest';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { raceOf } from '../../../src/sweep/run/halving.js';
import { smallPlan as plan } from './small-plan.js';

const TUNED =
  'grid: {dim: [16, 128]}\nseeds: [1, 2]\ntune: {learningRate: [5e-4, 1e-3, 2e-3], dropout: [0.2, 0.4]}\n';

describe('tuned settings', () => {
  it('are crossed with everything, and their cells are trials with a cost', () => {
    const { trials, tuned, notes } = plan(TUNED);
    expect(trials.length).toBe(2 * 2 * 3 * 2);
    expect(tuned).toEqual(['dropout', 'learningRate']);
    const cells = trials.map(({ config: { model, training, seed } }) =>
      [model.dim, seed, training.learningRate, model.dropout].join(' '),
    );
    expect(new Set(cells).size).toBe(24);
    expect(trials.every(({ flops }) => flops > 0)).toBe(true);
    // dims eight times apart, and every one has rates to choose from
    expect(notes).toEqual([]);
  });

  it('are the very trials that a grid would name', () => {
    const grid = TUNED.replace(
      'dim: [16, 128]}',
      'dim: [16, 128], learningRate: [5e-4, 1e-3, 2e-3], dropout: [0.2, 0.4]}',
    ).replace(/tune:.*\n/, '');
    expect(new Set(plan(TUNED).trials.map(({ id }) => id))).toEqual(
      new Set(plan(grid).trials.map(({ id }) => id)),
    );
    expect(plan(grid).tuned).toEqual([]);
  });

  it('may be rates that follow the width, and may be excluded in part', () => {
    const { trials } = plan(
      'grid: {dim: [16, 32]}\ntune: {learningRate: [1e-3, {base: 1e-3, dim: 64}]}\nexclude: [{dim: 16, learningRate: 1e-3}]\n',
    );
    expect(trials.map(({ config }) => [config.model.dim, typeof config.training.learningRate])).toEqual(
      expect.arrayContaining([
        [16, 'object'],
        [32, 'number'],
        [32, 'object'],
      ]),
    );
    expect(trials.length).toBe(3);
  });

  it.each([
    ['tune: {dim: [16, 32]}', 3, /unknown key "dim" in tune/, /put it under `grid:`.*Tuned are dropout/],
    ['tune: {negatives: [0, 100]}', 3, /unknown key "negatives" in tune/, /what a configuration is or costs/],
    ['tune: {learningRat: [1e-3]}', 3, /unknown key "learningRat"/, /`learningRate`/],
    ['tune: {}', 3, /expected at least one axis, such as learningRate/, undefined],
    ['tune: {dropout: 0.2}', 3, /expected a list of values for dropout/, undefined],
    [
      'grid: {dropout: [0.1]}\ntune: {dropout: [0.2]}',
      4,
      /dropout is tuned and stands in grid too/,
      /Keep one/,
    ],
    ['list: [{dropout: 0.1}]\ntune: {dropout: [0.2]}', 4, /stands in list too/, /Keep one/],
  ])('%s is refused with its place', (text, line, message, suggestion) => {
    const { problems } = checkSweepText(`data: d\nname: t\n${text}\n`, 't.yaml');
    expect(problems.length).toBe(1);
    expect(problems[0]!.message).toMatch(message);
    expect(problems[0]!.line).toBe(line);
    if (suggestion) expect(problems[0]!.suggestion).toMatch(suggestion);
  });

  it('race within a configuration, seeds together', () => {
    const { trials, tuned } = plan(TUNED);
    const races = trials.map(({ config }) => raceOf(config, tuned));
    expect(new Set(races.map(({ race }) => race)).size).toBe(2);
    expect(new Set(races.map(({ setting }) => setting)).size).toBe(6);
  });
});
