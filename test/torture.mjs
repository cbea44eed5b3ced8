/**
 * `npm run torture -- [--kills 100] [--commands 8] [--minutes 8] [--seed NAME]`: random kills of sweeps of
 * real trainings (of trials, of commands, of both, in the middle of writes), several commands on one store, the same of sweeps
 * with a goal, and a crash at every single change to the file system; seeded, bounded in time. Fails when a result is lost, doubled or
 * different, or another decision made.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    commands: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '8' },
    seed: { type: 'string', default: 'torture' },
  },
});
const { status } = spawnSync(
  process.execPath,
  [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config',
    'test/vitest.config.ts',
    'test/sweep/run/kill.test.ts',
    'test/sweep/run/crash.test.ts',
    'test/sweep/run/goal/rounds.test.ts',
    '--no-file-parallelism',
  ],
  {
    cwd: new URL('..', import.meta.url),
    stdio: 'inherit',
    env: {
      ...process.env,
      PERFLAW_KILLS: values.kills,
      PERFLAW_KILL_COMMANDS: values.commands,
      PERFLAW_KILL_MINUTES: values.minutes,
      PERFLAW_KILL_SEED: values.seed,
    },
  },
);
process.exitCode = status ?? 1;
