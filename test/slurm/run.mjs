/**
 * `npm run test:slurm`: sweeps on a real Slurm of two nodes that runs on this machine for as long as the test does. Needs root and
 * the packages slurm-wlm and munge (Debian, Ubuntu); without them it says so and ends well.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const missing = ['munged', 'slurmctld', 'slurmd', 'sbatch', 'squeue', 'scontrol', 'scancel'].filter(
  (program) => spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0,
);
const reason =
  process.getuid?.() !== 0
    ? 'only root can run a cluster of its own'
    : missing.length > 0
      ? `not installed: ${missing.join(', ')} (apt-get install slurm-wlm munge)`
      : undefined;
if (reason) {
  console.log(`skipped: Slurm for real (${reason})`);
  process.exit(0);
}

const begun = performance.now();
/** Everything together; a machine at rest needs a third of it. */
const MINUTES = 15;
const root = fileURLToPath(new URL('../..', import.meta.url));
const cluster = join(root, 'test', 'slurm', 'cluster.sh');
const folder = mkdtempSync(join(tmpdir(), 'perflaw-cluster-'));
const stop = () => {
  spawnSync(cluster, ['stop', folder], { stdio: 'inherit' });
  rmSync(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    stop();
    process.exit(1);
  });
let status = 1;
try {
  if (spawnSync(cluster, ['start', folder], { stdio: 'inherit' }).status === 0) status = await tests();
  if (status !== 0)
    spawnSync('tail', ['-n', '20', join(folder, 'log', 'slurmctld.log')], { stdio: 'inherit' });
} finally {
  stop();
}

/** @returns {Promise<number>} the exit code of the tests, which end with this program or when their time is over. */
function tests() {
  const child = spawn(
    process.execPath,
    ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/slurm/vitest.config.ts'],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, SLURM_CONF: join(folder, 'slurm.conf') },
      timeout: MINUTES * 60_000,
    },
  );
  return new Promise((done) => child.on('exit', (code) => done(code ?? 1)));
}
console.log(`Slurm for real: ${Math.round((performance.now() - begun) / 1000)} s`);
process.exitCode = status;
