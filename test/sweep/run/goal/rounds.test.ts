/** Sweeps with a goal, for real: they end, and killed or shared by two commands they make the same decisions. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../../src/contract/fake.js';
import { checkSweepText } from '../../../../src/sweep/file/spec.js';
import { readDecisions, type StoredDecision } from '../../../../src/sweep/store/decisions.js';
import {
  exitOf,
  type Home,
  killsWanted,
  makeHome,
  numbersOf,
  runCommand,
  startCommand,
  tormentOften,
} from '../../killing.js';

const SWEEP = `name: killed
data: {synthetic: {users: 120, items: 60, meanLength: 15}}
model: {dState: 4, maxLength: 15}
training: {epochs: 3, patience: 0, rows: 8, learningRate: 5e-3}
slices: [{users: 0.5}, {users: 1}]
grid: {layers: [1, 2], dim: [4, 8, 16]}
goal: {params: 6k, tolerance: 0.01, round: 2}
`;

const decisionsOf = ({ store }: Home): StoredDecision[] => readDecisions(store.path, store.readPlan().goal!);
/** Names and bytes of every decision. */
function bytesOf({ store }: Home): Record<string, string> {
  const folder = join(store.path, 'decisions', store.readPlan().goal!.key);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

it('runs to an answer; by two commands it makes the same decisions, and no run twice', {
  timeout: 240_000,
}, async () => {
  const whole = makeHome(temporaryFolder(), SWEEP);
  const { code, text } = await runCommand(whole);
  expect(code, text).toBe(0);
  expect(text).toContain('Round 1: nothing is known yet.');
  expect(text).toMatch(/To train: \d+ layers?, dim /);
  expect(text).toMatch(/It stopped because .* of what the whole grid costs\./);
  const decisions = decisionsOf(whole);
  expect(decisions.length).toBeGreaterThan(1);
  expect(decisions.at(-1)!.stop).not.toBeNull();
  expect(decisions.slice(0, -1).every(({ stop }) => stop === null)).toBe(true);
  const chosen = decisions.flatMap(({ runs }) => runs.map(({ id }) => id));
  expect(new Set(chosen).size).toBe(chosen.length);
  expect(Object.keys(numbersOf(whole)).sort()).toEqual([...chosen].sort());

  const again = await runCommand(whole);
  expect(again.code).toBe(0);
  expect(again.text).toContain(`${chosen.length} kept from before`);

  const shared = makeHome(temporaryFolder(), SWEEP);
  const both = [startCommand(shared), startCommand(shared)];
  expect(await Promise.all(both.map(exitOf))).toEqual([0, 0]);
  expect(bytesOf(shared)).toEqual(bytesOf(whole));
  expect(numbersOf(shared)).toEqual(numbersOf(whole));
});

/** A few kills in every test run; `npm run torture` asks for many more through the environment. */
const havoc = killsWanted(4);

it(`with ${havoc.wanted} processes killed makes the decisions of an undisturbed sweep`, {
  timeout: (havoc.minutes + 5) * 60_000,
}, async () => {
  const whole = makeHome(temporaryFolder(), SWEEP);
  expect((await runCommand(whole)).code).toBe(0);
  const total = await tormentOften(havoc, { name: 'goal', text: SWEEP, meanGap: 500 }, (home, end) => {
    expect(end.code, end.text).toBe(0);
    expect(bytesOf(home)).toEqual(bytesOf(whole));
    expect(numbersOf(home)).toEqual(numbersOf(whole));
  });
  expect(total.trials + total.commands + total.writes).toBeGreaterThan(0);
});

it('refuses what cannot be reached before anything is run', { timeout: 60_000 }, async () => {
  const wrong: [string, string, RegExp][] = [
    ['params: 6k', 'params: 50', /cannot be reached: no configuration fits 50 .*parameters/],
    ['tolerance: 0.01', 'metric: ndcg@77', /ndcg@77 is not measured/],
    ['tolerance: 0.01', 'hours: 1e-9', /first \d+ runs alone take about/],
  ];
  for (const [from, to, message] of wrong) {
    const home = makeHome(temporaryFolder(), SWEEP.replace(from, to));
    const { code, text } = await runCommand(home);
    expect(code).toBe(2);
    expect(text).toMatch(message);
    expect(readdirSync(home.folder)).not.toContain('trials');
  }
});

it('refuses a goal beside what contradicts it', () => {
  const problems = (more: string) => checkSweepText(`${SWEEP}${more}`, 'goal.yaml').problems;
  expect(problems('')).toEqual([]);
  expect(problems('halving: {rungs: [1], eta: 2}\n')[0]!.message).toContain('halving and a goal');
  expect(problems('budget: {hours: 1}\n')[0]!.message).toContain('budget.hours and a goal');
  for (const wrong of [
    'confidence: 1',
    'confidence: 0.4',
    'tolerance: 0',
    'hours: 0',
    'metric: loss',
    'sizes: 3',
  ])
    expect(
      checkSweepText(SWEEP.replace('tolerance: 0.01', wrong), 'goal.yaml').problems[0]?.message,
      wrong,
    ).toMatch(/goal/);
});

it('begins anew where the goal is another, and knows the results that are there', {
  timeout: 120_000,
}, async () => {
  const home = makeHome(temporaryFolder(), SWEEP);
  expect((await runCommand(home)).code).toBe(0);
  const before = decisionsOf(home).at(-1)!.known.runs;
  writeFileSync(home.file, SWEEP.replace('params: 6k', 'params: 4k'));
  expect((await runCommand(home)).code).toBe(0);
  const [first] = decisionsOf(home);
  expect(first!.found).toHaveLength(before);
  expect(first!.known.runs).toBe(before);
});

it('counts of its hours what workers were busy with, starts and evaluations in it', {
  timeout: 120_000,
}, async () => {
  const home = makeHome(temporaryFolder(), SWEEP.replace('tolerance: 0.01', 'tolerance: 0.01, hours: 1'));
  expect((await runCommand(home)).code).toBe(0);
  const decisions = decisionsOf(home);
  expect(decisions[0]!.seconds).toBe(0);
  // with an hour for runs of a second nothing had to be measured first
  expect(decisions.every(({ pace }) => pace === undefined)).toBe(true);
  const { numericVersion } = home.store.readPlan();
  let seconds = 0;
  for (const { seconds: counted, runs } of decisions) {
    expect(counted).toBeCloseTo(seconds, 6);
    for (const { id } of runs) {
      const found = home.store.readTrial(id, numericVersion);
      if (found.state !== 'done' || found.record.status !== 'done')
        throw new Error(`${id} is ${found.state}`);
      const { training, evaluation } = found.record.result.seconds;
      expect(found.record.occupied).toBeGreaterThan(training + evaluation);
      seconds += found.record.occupied!;
    }
  }
});
