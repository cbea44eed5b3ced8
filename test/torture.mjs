/**
 * `npm run torture -- [--kills 100] [--commands 8] [--minutes 30] [--seed NAME]`: many rounds of random kills of sweeps, several
 * commands on one store; seeded, bounded in time. Fails when a result is lost, doubled or different.
 */
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '100' },
    commands: { type: 'string', default: '8' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: 'torture' },
  },
});
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', 'test/sweep/kill.test.ts'],
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
