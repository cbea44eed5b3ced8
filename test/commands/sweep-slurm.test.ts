/** `perflaw sweep --launch slurm` as a person types it, on a stand-in for Slurm's commands; training is real. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../src/contract/fake.js';
import { CLI } from '../sweep/killing.js';
import { fakeSlurm } from '../sweep/launch/slurm/fake.js';

const TINY = `name: tiny
data: {synthetic: {users: 60, items: 40, meanLength: 10}}
model: {dState: 4, maxLength: 10, dim: 4}
training: {epochs: 1, learningRate: 5e-3}
grid: {layers: [1, 2]}
slurm: {partition: main, time: 10min, setup: ['echo set up here']}
`;

function perflaw(home: string, commands: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, 'sweep', 'tiny.yaml', ...words], {
    cwd: home,
    env: { ...process.env, PERFLAW_HOME: home, PATH: `${commands}${delimiter}${process.env['PATH']}` },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, words: stderr };
}

it('submits, leaves, comes back and shows what came out', { timeout: 90_000 }, async () => {
  const home = temporaryFolder();
  writeFileSync(join(home, 'tiny.yaml'), TINY);
  const slurm = fakeSlurm();
  const dry = perflaw(home, slurm.folder, '--launch', 'slurm', '--dry-run');
  expect(dry.out).toMatch(/with 2 workers/);
  expect(existsSync(join(home, 'reports'))).toBe(false);

  const left = perflaw(home, slurm.folder, '--launch', 'slurm', '--detach');
  expect(left.code, left.words).toBe(0);
  expect(left.words).toMatch(/Submitted 2 trials as job 100/);
  expect(left.words).toMatch(/2 trials are with Slurm and go on without this command/);
  expect(left.words).toMatch(/scancel 100/);
  expect(left.out).toMatch(/0 done, 2 in the queue or running/);
  while (slurm.tasks().some(({ state }) => state !== 'COMPLETED')) await sleep(50);

  const back = perflaw(home, slurm.folder, '--launch', 'slurm', '--json');
  expect(back.code, back.words).toBe(0);
  expect(JSON.parse(back.out)).toMatchObject({ done: 2, kept: 2, failed: 0, left: 0 });
  expect(slurm.tasks()).toHaveLength(2);
  expect(perflaw(home, slurm.folder, '--launch', 'slurm', '--cancel').out).toMatch(/Slurm has no trial/);
});

it('says what to do where there is no Slurm, and writes no submission', () => {
  const home = temporaryFolder();
  writeFileSync(join(home, 'tiny.yaml'), TINY);
  const { status, stderr } = spawnSync(process.execPath, [CLI, 'sweep', 'tiny.yaml', '--launch', 'slurm'], {
    cwd: home,
    env: { PERFLAW_HOME: home, PATH: home },
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/there is no Slurm here: the program scontrol was not found/);
  expect(stderr).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(status).toBe(2);
  expect(existsSync(join(home, 'reports', 'tiny', 'slurm'))).toBe(false);
});
