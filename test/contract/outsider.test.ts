/** Another package calls the contracts of backends and launchers through `perflaw/contract`, and they run there. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/util/workspace.js';

const TEST = `
import * as tf from '@tensorflow/tfjs';
import { spawn } from 'node:child_process';
import { describeKernels, FAKE_ENTRY, launcherContract } from 'perflaw/contract';

describeKernels('mine', 1, () => tf.setBackend('cpu'));

// It keeps no log and tells no progress, so the contract has something to say.
launcherContract('careless', {
  make: () => ({
    name: 'careless',
    capacity: 1,
    start: (path, orders) =>
      orders.map(({ id }) => {
        const child = spawn(process.execPath, [FAKE_ENTRY, path, id, '--batch'], { stdio: 'ignore' });
        const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve({ code, signal })));
        return { id, ended, stop: (how) => child.kill(how === 'now' ? 'SIGKILL' : 'SIGTERM') };
      }),
  }),
});
`;

it('kernels that are right pass, and a launcher that keeps no log is caught', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'perflaw-outsider-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'node_modules', '@tensorflow'), { recursive: true });
  symlinkSync(packageRoot, join(folder, 'node_modules', 'perflaw'));
  for (const name of ['vitest', '@tensorflow/tfjs'])
    symlinkSync(join(packageRoot, 'node_modules', name), join(folder, 'node_modules', name));
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
  writeFileSync(join(folder, 'mine.test.mjs'), TEST);
  const run = (pattern: string) => {
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['node_modules/vitest/vitest.mjs', 'run', '--root', '.', '--testTimeout', '60000', '-t', pattern],
      { cwd: folder, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1', VITEST: undefined } },
    );
    return { status, out: stdout + stderr };
  };
  const kernels = run('kernels on mine');
  expect(kernels.out).toMatch(/Tests {2}(1[5-9]|2\d) passed/);
  expect(kernels.status).toBe(0);
  const launcher = run('keeps what a trial prints in its log');
  expect(launcher.out).toMatch(/Tests {2}1 failed/);
  expect(launcher.status).toBe(1);
});
