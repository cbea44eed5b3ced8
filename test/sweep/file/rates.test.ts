/** Learning rates in a sweep file: numbers, rules that follow the width, and what is said of a constant one over many widths; and of dropout. */
import { describe, expect, it } from 'vitest';
import { checkSweepText } from '../../../src/sweep/file/spec.js';
import { settingsOf } from '../../../src/sweep/results/observations.js';
import { smallPlan as plan } from './small-plan.js';

describe('a rate in a sweep file', () => {
  it('may follow the width: one setting over all dims, written out whole', () => {
    const { trials, notes } = plan(
      'training: {learningRate: {base: 1e-3, dim: 64}}\ngrid: {dim: [16, 256]}\n',
    );
    expect(notes).toEqual([]);
    for (const { config } of trials)
      expect(config.training.learningRate).toEqual({ base: 0.001, dim: 64, power: -1, parts: 'all' });
    expect(new Set(trials.map(({ config }) => settingsOf(config)['learningRate']))).toEqual(
      new Set(['0.001*(dim/64)^-1']),
    );
  });

  it('stands on an axis beside numbers', () => {
    const { trials } = plan(
      'grid: {learningRate: [1e-3, {base: 1e-3, dim: 64, power: -0.5, parts: hidden}]}\n',
    );
    expect(trials.map(({ config }) => config.training.learningRate)).toEqual(
      expect.arrayContaining([0.001, { base: 0.001, dim: 64, power: -0.5, parts: 'hidden' }]),
    );
  });

  it.each([
    ['{base: 1e-3}', /learningRate\.dim/],
    ['{base: 1e-3, dim: 64, pow: -1}', /unknown key "pow"/],
    ['{base: 0, dim: 64}', /learningRate\.base: expected a number above 0/],
    ['{base: 1e-3, dim: 64, parts: matrices}', /expected one of all, hidden/],
    ['fast', /a rate that follows the width/],
  ])('%s is refused where it stands', (rate, words) => {
    const { problems } = checkSweepText(`data: d\ntraining:\n  learningRate: ${rate}\n`, 'r.yaml');
    expect(problems.length).toBe(1);
    expect(problems[0]!.message).toMatch(words);
    expect(problems[0]!.line).toBe(3);
  });
});

describe('one constant rate', () => {
  it('is warned of where it serves dims more than four times apart', () => {
    expect(plan('grid: {dim: [16, 64]}\n').notes).toEqual([]);
    const { notes } = plan('grid: {dim: [16, 32, 128]}\n');
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(
      /0\.001, serves dims from 16 to 128.*tune: \{learningRate.*base: 0\.001, dim: 16/,
    );
    // each of the two serves them all
    expect(plan('grid: {dim: [16, 128], learningRate: [1e-3, 2e-3]}\n').notes.length).toBe(2);
  });

  it('is not where every dim has its own', () => {
    expect(plan('list: [{dim: 16, learningRate: 4e-3}, {dim: 128, learningRate: 5e-4}]\n').notes).toEqual([]);
  });
});

describe('one dropout', () => {
  const ssd = 'model: {name: ssd4rec, dim: 16, headDim: 16}\n';

  it('is warned of where all of SSD4Rec shares it, which drops the sum of its layers', () => {
    const { notes } = plan(`${ssd}grid: {layers: [1, 2], dropout: [0.2]}\n`);
    expect(notes.length).toBe(1);
    expect(notes[0]).toMatch(
      /ssd4rec drops the sum that runs through its layers.*dropout 0\.2 .*tune: \{dropout: \[0, 0\.2\]\}/,
    );
  });

  it('is not where it is none, or varies, or belongs to other models', () => {
    expect(plan(`${ssd}grid: {dropout: [0]}\n`).notes).toEqual([]);
    expect(plan(`${ssd}tune: {dropout: [0, 0.2]}\n`).notes).toEqual([]);
    expect(plan('grid: {dropout: [0.2]}\n').notes).toEqual([]);
  });
});
