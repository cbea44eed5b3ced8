/** A few kills in every test run; `npm run torture` asks for many more through the environment. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { NUMERIC_VERSION } from '../../src/train/version.js';
import { createRandom } from '../../src/util/random.js';
import { temporaryFolder } from './fake.js';
import {
  exitOf,
  killOnce,
  makeHome,
  numbersOf,
  runCommand,
  SWEEP,
  startCommand,
  trialProcesses,
} from './killing.js';

const VICTIMS = ['trials', 'commands', 'both'] as const;
const kills = Number(process.env['PERFLAW_KILLS'] ?? 3);
const seed = process.env['PERFLAW_KILL_SEED'] ?? 'kill';
/** Longer trainings where there is time for them: more of the kills then strike in the middle. */
const text = kills > 3 ? SWEEP.replace('epochs: 8, patience: 3', 'epochs: 24, patience: 0') : SWEEP;
const commands = Number(process.env['PERFLAW_KILL_COMMANDS'] ?? 1);
const minutes = Number(process.env['PERFLAW_KILL_MINUTES'] ?? 1);

it(`a sweep killed in ${kills} rounds gives the bits of an undisturbed one`, {
  timeout: (minutes + 4) * 60_000,
}, async () => {
  const undisturbed = makeHome(temporaryFolder(), text);
  expect((await runCommand(undisturbed)).code).toBe(0);
  const expected = numbersOf(undisturbed);
  expect(Object.keys(expected)).toHaveLength(3);

  const random = createRandom('kill', seed);
  const total = { commands: 0, trials: 0 };
  const until = performance.now() + minutes * 60_000;
  let home = makeHome(temporaryFolder(), text);
  let round = 0;
  while (round < kills && performance.now() < until) {
    round++;
    const killed = await killOnce(home, random, commands, VICTIMS[round % 3]!);
    total.commands += killed.commands;
    total.trials += killed.trials;
    const open = Object.keys(expected).some(
      (id) => home.store.readTrial(id, NUMERIC_VERSION).state === 'absent',
    );
    if (open && round % 4 !== 0 && round < kills && performance.now() < until) continue;
    // A sweep that is done cannot be killed: look at it, and begin the next one in a fresh folder.
    const last = await runCommand(home);
    expect(last.code, last.text).toBe(0);
    expect(numbersOf(home)).toEqual(expected);
    for (const id of Object.keys(expected)) {
      // Nothing doubled, nothing half-written left behind.
      const files = readdirSync(home.store.folder(id)).filter((name) => !name.startsWith('claim-'));
      expect(files.sort()).toEqual(['config.json', 'log.txt', 'result.json']);
    }
    expect(trialProcesses(home)).toEqual([]);
    home = makeHome(temporaryFolder(), text);
  }
  console.log(`${round} rounds killed ${total.commands} commands and ${total.trials} trials, seed ${seed}`);
  expect(total.commands + total.trials).toBeGreaterThan(0);
  expect(round).toBe(kills);
});

it('Ctrl-C once keeps checkpoints, says so and ends with 130', { timeout: 90_000 }, async () => {
  const home = makeHome(temporaryFolder());
  const log: string[] = [];
  const command = startCommand(home, log);
  while (trialProcesses(home).length === 0 && command.exitCode === null)
    await new Promise((r) => setTimeout(r, 20));
  command.kill('SIGINT');
  expect(await exitOf(command)).toBe(130);
  expect(log.join('')).toMatch(/Stopping: trials write their checkpoints/);
  expect(log.join('')).toMatch(/the same command goes on/);
  expect(trialProcesses(home)).toEqual([]);
  expect(readdirSync(join(home.store.path, 'trials')).length).toBeGreaterThan(0);
});
