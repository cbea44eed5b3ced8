/**
 * What do threads bring a training step, beside what the machine's cores bring two processes that have nothing to do with each other?
 * `node test/bench/threads.mjs [--model mamba4rec] [--dim 64] [--threads 2] [--rounds 12]`: by turns one thread, several threads, and as
 * many processes of one thread at once; prints times a step, ratios of each round (median), memory, and how busy others kept the
 * machine meanwhile (Linux). Rounds in which others took more than --others of a core are left out where enough remain; with
 * --patience SECONDS a round waits for a moment in which they take less.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: 'mamba4rec' },
    dim: { type: 'string', default: '64' },
    layers: { type: 'string', default: '1' },
    rows: { type: 'string', default: '8' },
    length: { type: 'string', default: '200' },
    items: { type: 'string', default: '3416' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '12' },
    steps: { type: 'string', default: '4' },
    others: { type: 'string', default: '0.1' },
    patience: { type: 'string', default: '0' },
  },
});
const threads = Number(values.threads);
const steps = Number(values.steps);

/** Milliseconds that all processes kept the cores busy. */
function busy() {
  const [, user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'utf8')
    .split('\n')[0]
    .split(/ +/)
    .map(Number);
  return 10 * (user + nice + system + irq + softirq + steal);
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

async function child() {
  const { openBackend, setThreads } = await import('../../dist/kernels/backend.js');
  const { createStepBench } = await import('../../dist/train/bench/step-bench.js');
  await openBackend('wasm');
  const headDim = { tim4rec: 32, ssd4rec: 16 }[values.model];
  const model = {
    name: values.model,
    dim: Number(values.dim),
    layers: Number(values.layers),
    maxLength: Number(values.length),
  };
  const bench = await createStepBench({
    model: { ...model, ...(headDim ? { headDim } : {}) },
    rows: Number(values.rows),
    items: Number(values.items),
    backend: 'wasm',
  });
  // Until V8 has compiled what a training of thousands of steps runs; its compiler needs a core meanwhile.
  for (let i = 0; i < 40; i++) await bench.run();
  process.on('message', async ({ threads, steps }) => {
    await setThreads(threads);
    await bench.run();
    const begun = performance.now();
    const before = process.cpuUsage();
    for (let i = 0; i < steps; i++) await bench.run();
    const { user, system } = process.cpuUsage(before);
    process.send({
      wall: performance.now() - begun,
      cpu: (user + system) / 1000,
      rss: process.memoryUsage.rss(),
    });
  });
  process.send('ready');
}

if (process.send) await child();
else {
  const words = process.argv.slice(2);
  const children = Array.from({ length: threads }, () => fork(fileURLToPath(import.meta.url), words));
  for (const one of children) await once(one, 'message');
  const measure = async (members, threads) => {
    const [before, begun] = [busy(), performance.now()];
    for (const one of members) one.send({ threads, steps });
    const answers = await Promise.all(members.map(async (one) => (await once(one, 'message'))[0]));
    const passed = performance.now() - begun;
    const own = answers.reduce((sum, { cpu, wall }) => sum + (cpu * passed) / wall, 0);
    return {
      wall: Math.max(...answers.map(({ wall }) => wall)) / steps,
      cpu: answers[0].cpu / steps,
      rss: answers[0].rss,
      others: Math.max(0, busy() - before - own) / passed,
    };
  };
  console.log(
    `${values.model}, dim ${values.dim}, ${values.layers} layers, ${values.rows} rows of ${values.length}; Node ${process.version}, load ${loadavg()[0].toFixed(1)}`,
  );
  const until = performance.now() + 1000 * Number(values.patience);
  const isCalm = async () => {
    const [before, begun] = [busy(), performance.now()];
    await sleep(300);
    return busy() - before < Number(values.others) * (performance.now() - begun);
  };
  const all = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    while (performance.now() < until && !(await isCalm())) await sleep(500);
    const one = await measure([children[0]], 1);
    const several = await measure([children[0]], threads);
    const apart = await measure(children, 1);
    all.push({ one, several, apart, others: Math.max(one.others, several.others, apart.others) });
  }
  const calm = all.filter(({ others }) => others < Number(values.others));
  const rounds =
    calm.length >= 5 ? calm : all.sort((a, b) => a.others - b.others).slice(0, Math.max(5, all.length >> 2));
  const of = (name, key) => median(rounds.map((round) => round[name][key]));
  const line = (name, label, ratio) =>
    console.log(
      `  ${label.padEnd(34)} ${of(name, 'wall').toFixed(1).padStart(7)} ms a step, ${of(name, 'cpu').toFixed(1).padStart(7)} ms of processor time a process, ${ratio}`,
    );
  line('one', 'one thread', `${(of('one', 'rss') / 2 ** 20).toFixed(0)} MiB`);
  line(
    'several',
    `${threads} threads`,
    `${median(rounds.map(({ one, several }) => one.wall / several.wall)).toFixed(2)}x, ${(of('several', 'rss') / 2 ** 20).toFixed(0)} MiB`,
  );
  line(
    'apart',
    `${threads} processes of one thread each`,
    `${median(rounds.map(({ one, apart }) => (threads * one.wall) / apart.wall)).toFixed(2)}x together`,
  );
  console.log(
    `  ${rounds.length} of ${all.length} rounds, others took ${median(rounds.map(({ others }) => others)).toFixed(2)} cores, load ${loadavg()[0].toFixed(1)}`,
  );
  for (const one of children) one.kill();
}
