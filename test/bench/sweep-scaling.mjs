/**
 * Do two workers finish a sweep twice as fast as one, and what does the sweep cost beside its trials?
 * `node test/bench/sweep-scaling.mjs [--trials 4] [--epochs 12] [--rounds 1]`: equal trials (one configuration, several seeds),
 * once with one worker and once with two, alternating; prints the ratio of wall times, and how much longer
 * the sweep takes than the training and evaluation that its trials report. Needs two idle cores.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    trials: { type: 'string', default: '4' },
    epochs: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '1' },
  },
});
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const seeds = Array.from({ length: Number(values.trials) }, (_, i) => i);
const file = `name: scaling
data: {synthetic: {users: 400, items: 500, meanLength: 40}}
model: {dim: 32, layers: 2, dState: 16, maxLength: 50}
training: {epochs: ${values.epochs}, patience: 0}
seeds: [${seeds}]
`;

function once(workers) {
  const home = mkdtempSync(join(tmpdir(), 'perflaw-scaling-'));
  try {
    writeFileSync(join(home, 'scaling.yaml'), file);
    const begun = performance.now();
    // The children of a process that was waited for are counted with it.
    const run = spawnSync(
      'bash',
      [
        '-c',
        `"$0" "$@"; times >&2`,
        process.execPath,
        cli,
        'sweep',
        'scaling.yaml',
        '--workers',
        String(workers),
      ],
      {
        cwd: home,
        env: { ...process.env, PERFLAW_HOME: home },
        encoding: 'utf8',
      },
    );
    const wall = (performance.now() - begun) / 1000;
    if (run.status !== 0) throw new Error(run.stderr);
    const [user, system] = run.stderr
      .trim()
      .split('\n')
      .at(-1)
      .split(' ')
      .map((text) => {
        const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(text);
        return 60 * Number(minutes) + Number(seconds);
      });
    const folder = join(home, 'reports', 'scaling', 'trials');
    const trials = readdirSync(folder).map((id) => {
      const { result } = JSON.parse(readFileSync(join(folder, id, 'result.json'), 'utf8'));
      return result.seconds.training + result.seconds.evaluation;
    });
    return { wall, cpu: user + system, inTrials: trials.reduce((a, b) => a + b, 0), trials };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

console.log(`load before: ${loadavg()[0].toFixed(2)}`);
for (let round = 0; round < Number(values.rounds); round++) {
  const one = once(1);
  const two = once(2);
  const text = (r) =>
    `${r.wall.toFixed(1)} s wall, ${r.cpu.toFixed(1)} s CPU, trials ${r.inTrials.toFixed(1)} s (${Math.min(...r.trials).toFixed(1)} to ${Math.max(...r.trials).toFixed(1)})`;
  console.log(`1 worker:  ${text(one)}`);
  console.log(`2 workers: ${text(two)}`);
  console.log(
    `speed-up ${(one.wall / two.wall).toFixed(2)}; with one worker the sweep takes ${((one.wall / one.inTrials - 1) * 100).toFixed(1)} % longer than its trials, ${((one.wall - one.inTrials) / seeds.length).toFixed(2)} s a trial`,
  );
}
console.log(`load after: ${loadavg()[0].toFixed(2)}`);
