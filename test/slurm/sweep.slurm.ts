/**
 * A sweep of 20 small trainings on a real Slurm, with everything that happens on a cluster: a job out of time, one cancelled, one
 * requeued, a node drained and resumed, the waiting command interrupted. What comes out must equal a local run bit for bit.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../src/contract/fake.js';
import { Submissions } from '../../src/sweep/launch/slurm/submissions.js';
import { readClaim } from '../../src/sweep/store/claim.js';
import { CLI, exitOf, type Home, makeHome, numbersOf } from '../sweep/killing.js';

const SWEEP = `name: killed
data: {synthetic: {users: 200, items: 80, meanLength: 20}}
model: {dState: 4, maxLength: 20, dropout: 0.1}
backend: wasm
training: {epochs: 3, patience: 0, rows: 4, learningRate: 5e-3}
grid: {layers: [1, 2], dim: [4, 8]}
seeds: [0, 1, 2, 3, 4]
slurm: {partition: main, time: 50min, grace: 30s, environment: {PERFLAW_TEST: "it's $HOME"}, setup: ['echo set up']}
`;

function start(home: Home, log: string[], ...words: string[]): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'sweep', home.file, ...words], {
    cwd: home.folder,
    env: { ...process.env, PERFLAW_HOME: home.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => log.push(String(data)));
  return child;
}

function slurm(program: string, ...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
  expect(status, `${program} ${words.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

/** A trial in mid-training, held there until Slurm signals it; never the same twice. */
async function catchRunning({ store }: Home, caught: Set<string>): Promise<{ id: string; task: string }> {
  for (;;) {
    for (const id of existsSync(join(store.path, 'trials')) ? readdirSync(join(store.path, 'trials')) : []) {
      if (caught.has(id) || !store.readProgress(id)) continue;
      const { state, file } = readClaim(store.folder(id));
      if (state !== 'alive' || !file?.job) continue;
      try {
        process.kill(file.pid, 'SIGSTOP');
      } catch {
        continue;
      }
      if (existsSync(join(store.folder(id), 'result.json'))) {
        process.kill(file.pid, 'SIGCONT');
        continue;
      }
      caught.add(id);
      return { id, task: file.job.split(':')[1]! };
    }
    await sleep(10);
  }
}

const results = ({ store }: Home) =>
  readdirSync(join(store.path, 'trials')).filter((id) => existsSync(join(store.folder(id), 'result.json')))
    .length;

const until = async (condition: () => boolean) => {
  while (!condition()) await sleep(50);
};

it('of 20 trials with jobs cancelled, requeued and out of time equals a local one', {
  timeout: 400_000,
}, async () => {
  const local = makeHome(temporaryFolder(), SWEEP);
  const words: string[] = [];
  expect(await exitOf(start(local, words, '--workers', '2')), words.join('')).toBe(0);
  const expected = numbersOf(local);
  expect(Object.keys(expected)).toHaveLength(20);

  // A path with everything that a shell or Slurm might take for something else.
  const folder = join(temporaryFolder(), "it's a 100%j $home");
  mkdirSync(folder);
  const home = makeHome(folder, SWEEP);
  const command = start(home, words, '--launch', 'slurm');
  const caught = new Set<string>();

  const late = await catchRunning(home, caught);
  slurm('scontrol', 'update', `JobId=${late.task}`, 'TimeLimit=1');
  const cancelled = await catchRunning(home, caught);
  slurm('scancel', cancelled.task);
  const requeued = await catchRunning(home, caught);
  slurm('scontrol', 'requeue', requeued.task);

  await until(() => existsSync(join(home.store.folder(late.id), 'result.json')));
  slurm('scontrol', 'update', 'NodeName=one', 'State=DRAIN', 'Reason=test');
  await until(() => slurm('squeue', '-h', '-w', 'one', '-t', 'running').trim() === '');
  const before = results(home);
  await until(() => results(home) >= Math.min(before + 2, 18));
  expect(slurm('squeue', '-h', '-w', 'one').trim()).toBe('');

  command.kill('SIGINT');
  expect(await exitOf(command)).toBe(130);
  expect(words.join('')).toMatch(/go on without this command/);
  expect(slurm('squeue', '-h').trim()).not.toBe('');
  slurm('scontrol', 'update', 'NodeName=one', 'State=RESUME');

  const back = start(home, words, '--launch', 'slurm');
  expect(await exitOf(back), words.join('')).toBe(3);
  expect(words.join('')).toMatch(/submitted before: /);
  const failures = Object.values(numbersOf(home)).filter(
    (record) => (record as { status: string }).status === 'failed',
  );
  expect(failures.map((record) => (record as { id: string }).id).sort()).toEqual(
    [late.id, cancelled.id].sort(),
  );
  expect(numbersOf(home)[late.id]).toMatchObject({ reason: 'time-limit' });
  expect(numbersOf(home)[cancelled.id]).toMatchObject({ reason: 'cancelled' });

  const last = start(home, words, '--launch', 'slurm', '--retry-failed');
  expect(await exitOf(last), words.join('')).toBe(0);
  expect(numbersOf(home)).toEqual(expected);
  expect(slurm('squeue', '-h').trim()).toBe('');

  // Arrays within the limit of 8, in all 20 tasks and the two that were retried; the requeued one in its own task.
  const submissions = new Submissions(home.store.path).all();
  expect(submissions.map(({ trials }) => trials.length)).toEqual([8, 8, 4, 2]);
  const log = (id: string) => readFileSync(home.store.logFile(id), 'utf8');
  expect(log(requeued.id)).toMatch(/DUE TO JOB REQUEUE/);
  expect(log(requeued.id).match(/set up/g)).toHaveLength(2);
  // Nothing half-written left behind: the files of a local run, and the failures beside the results of their retries.
  const files = ({ store }: Home, id: string) =>
    readdirSync(store.folder(id)).filter((name) => !name.startsWith('claim-'));
  for (const id of Object.keys(expected)) {
    const failed = id === late.id || id === cancelled.id ? ['result.failed.json'] : [];
    expect(files(home, id).sort()).toEqual([...files(local, id), ...failed].sort());
  }
});

const GOAL = `name: killed
data: {synthetic: {users: 120, items: 60, meanLength: 15}}
model: {dState: 4, maxLength: 15}
backend: wasm
training: {epochs: 3, patience: 0, rows: 8, learningRate: 5e-3}
slices: [{users: 0.5}, {users: 1}]
grid: {layers: [1, 2], dim: [4, 8, 16]}
goal: {params: 6k, tolerance: 0.01, round: 2}
slurm: {partition: main, time: 50min, grace: 30s}
`;

const decisionsOf = ({ store }: Home) => {
  const folder = join(store.path, 'decisions', store.readPlan().goal!.key);
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return Object.fromEntries(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
};

it('of a goal with a job requeued and the command interrupted makes the decisions of a local one', {
  timeout: 400_000,
}, async () => {
  const local = makeHome(temporaryFolder(), GOAL);
  const words: string[] = [];
  expect(await exitOf(start(local, words, '--workers', '2')), words.join('')).toBe(0);

  const home = makeHome(temporaryFolder(), GOAL);
  const command = start(home, words, '--launch', 'slurm');
  const caught = new Set<string>();
  slurm('scontrol', 'requeue', (await catchRunning(home, caught)).task);
  await until(() => results(home) >= 3);
  command.kill('SIGINT');
  expect(await exitOf(command), words.join('')).toBe(130);

  // two commands at once go on with it
  const both = [start(home, words, '--launch', 'slurm'), start(home, words, '--launch', 'slurm')];
  for (const one of both) expect(await exitOf(one), words.join('')).toBe(0);
  expect(decisionsOf(home)).toEqual(decisionsOf(local));
  expect(numbersOf(home)).toEqual(numbersOf(local));
  expect(slurm('squeue', '-h').trim()).toBe('');
  // no trial was submitted twice
  const submitted = new Submissions(home.store.path).all().flatMap(({ trials }) => trials);
  expect(new Set(submitted).size).toBe(submitted.length);
});
