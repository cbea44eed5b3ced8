/** A few kills in every test run; `npm run torture` asks for many more through the environment. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import {
  exitOf,
  type Home,
  killsWanted,
  makeHome,
  numbersOf,
  runCommand,
  SWEEP,
  startCommand,
  tormentOften,
  trialsAtWork,
} from '../killing.js';

const havoc = killsWanted(6);
const { wanted, minutes } = havoc;
const long = wanted > 6;
/** More and longer trials where there is time for them: more of the kills then strike in the middle. */
const text = long
  ? SWEEP.replace('epochs: 8, patience: 3', 'epochs: 10, patience: 0').replace(
      'grid:',
      'seeds: [0, 1, 2, 3]\ngrid:',
    )
  : SWEEP;

it(`sweeps with ${wanted} processes killed give the bits of an undisturbed one`, {
  timeout: (minutes + 5) * 60_000,
}, async () => {
  const undisturbed = makeHome(temporaryFolder(), text);
  expect((await runCommand(undisturbed)).code).toBe(0);
  const expected = numbersOf(undisturbed);
  expect(Object.keys(expected)).toHaveLength(long ? 12 : 3);

  const total = await tormentOften(havoc, { name: 'kill', text, meanGap: 600 }, (home, end, so) => {
    expect(end.code, end.text).toBe(0);
    expect(numbersOf(home)).toEqual(expected);
    expectTidy(home, Object.keys(expected));
    if (long) console.log(`sweep ${so.sweeps}: ${so.killed} killed, ${so.seconds} s`);
  });
  const killed = total.trials + total.commands + total.writes;
  expect(killed).toBeGreaterThan(0);
  if (long && killed >= wanted) expect(Math.min(...Object.values(total))).toBeGreaterThan(0);
});

/** Nothing doubled, nothing half-written under a name that counts. */
function expectTidy(home: Home, ids: string[]): void {
  expect(readdirSync(join(home.store.path, 'trials')).sort()).toEqual(ids);
  for (const id of ids) {
    const folder = home.store.folder(id);
    const files = readdirSync(folder).filter((name) => !/^claim-|\.json\.[0-9]+$/.test(name));
    expect(files.sort()).toEqual([
      'config.json',
      'log.txt',
      'ranks.bin',
      'result.json',
      'weights.safetensors',
    ]);
  }
  expect(home.store.readPlan().trials).toHaveLength(ids.length);
  expect(JSON.parse(readFileSync(join(home.store.path, 'index.json'), 'utf8')).trials).toHaveLength(
    ids.length,
  );
  expect(trialsAtWork(home)).toEqual([]);
}

it('Ctrl-C once keeps checkpoints, says so and ends with 130', { timeout: 90_000 }, async () => {
  const home = makeHome(temporaryFolder());
  const log: string[] = [];
  const command = startCommand(home, log);
  while (trialsAtWork(home).length === 0 && command.exitCode === null)
    await new Promise((r) => setTimeout(r, 20));
  command.kill('SIGINT');
  expect(await exitOf(command)).toBe(130);
  expect(log.join('')).toMatch(/Stopping: trials write their checkpoints/);
  expect(log.join('')).toMatch(/the same command goes on/);
  expect(trialsAtWork(home)).toEqual([]);
  expect(readdirSync(join(home.store.path, 'trials')).length).toBeGreaterThan(0);
});
