/**
 * How long after the bound (work over cores) does a sweep end whose largest trial is half as large as all the others together?
 * `node test/bench/unequal-sweep.mjs [--small 20] [--epochs 12] [--rounds 1]`: the smallest first with one thread each (as trials
 * are started where `budget: {hours}` limits them), and as a sweep does it without; by turns, with two workers on two cores.
 * The bound is half of what the trials of the run with one thread each took.
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
    small: { type: 'string', default: '20' },
    epochs: { type: 'string', default: '12' },
    rounds: { type: 'string', default: '1' },
  },
});
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const [small, epochs] = [Number(values.small), Number(values.epochs)];
const list = [
  ...Array.from({ length: small }, (_, seed) => `  - {seed: ${seed + 1}, epochs: ${epochs}}`),
  `  - {seed: 0, epochs: ${(small * epochs) / 2}}`,
];
const file = (more) => `name: unequal
data: {synthetic: {users: 400, items: 500, meanLength: 40}}
model: {dim: 32, layers: 2, dState: 16, maxLength: 50}
training: {patience: 0, evaluateEvery: 4}
workers: 2
${more}
list:
${list.join('\n')}
`;

/** Wall seconds, and what every trial took in seconds of one core. */
function once(more) {
  const home = mkdtempSync(join(tmpdir(), 'perflaw-unequal-'));
  try {
    writeFileSync(join(home, 'unequal.yaml'), file(more));
    const begun = performance.now();
    const run = spawnSync(process.execPath, [cli, 'sweep', 'unequal.yaml'], {
      cwd: home,
      env: { ...process.env, PERFLAW_HOME: home },
      encoding: 'utf8',
    });
    const wall = (performance.now() - begun) / 1000;
    if (run.status !== 0) throw new Error(run.stderr);
    const folder = join(home, 'reports', 'unequal', 'trials');
    const trials = readdirSync(folder).map((id) => {
      const { result } = JSON.parse(readFileSync(join(folder, id, 'result.json'), 'utf8'));
      const { training, evaluation, cores } = result.seconds;
      return { seconds: training + evaluation, work: cores ?? training + evaluation };
    });
    return {
      wall,
      work: trials.reduce((sum, one) => sum + one.work, 0),
      largest: Math.max(...trials.map((t) => t.seconds)),
    };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

for (let round = 0; round < Number(values.rounds); round++) {
  const before = once('threads: 1\nbudget: {hours: 1000}');
  const now = once('threads: auto');
  const bound = before.work / 2;
  const text = ({ wall, work, largest }) =>
    `${wall.toFixed(1)} s, ${(wall / bound).toFixed(2)} of the bound; trials ${work.toFixed(1)} s of one core, the largest ${largest.toFixed(1)} s`;
  console.log(`load ${loadavg()[0].toFixed(1)}, bound ${bound.toFixed(1)} s`);
  console.log(`  smallest first, one thread:  ${text(before)}`);
  console.log(
    `  longest first, free cores:   ${text(now)}; of its own work over two cores ${((2 * now.wall) / now.work).toFixed(2)}`,
  );
}
