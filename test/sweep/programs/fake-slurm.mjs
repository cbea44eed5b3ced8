/**
 * A stand-in for Slurm's commands: `fake-slurm.mjs COMMAND FOLDER [WORDS]`, with its queue as files in FOLDER. Two tasks run at a
 * time. A file FOLDER/fault says what goes wrong: `full` (no more jobs), `refuse`, `silent` (squeue fails), `forgetful`
 * (the controller knows no ended job, the accounting does), `amnesia` (neither does).
 */
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const [command, folder, ...words] = process.argv.slice(2);
const tasks = join(folder, 'tasks');
mkdirSync(tasks, { recursive: true });
const fault = existsSync(join(folder, 'fault')) ? readFileSync(join(folder, 'fault'), 'utf8').trim() : '';
const option = (name, from = words) => from.find((w) => w.startsWith(`--${name}=`))?.slice(name.length + 3);
const fail = (text) => {
  process.stderr.write(`${text}\n`);
  process.exit(1);
};
const pathOf = (name) => join(tasks, `${name}.json`);
const read = (name) => JSON.parse(readFileSync(pathOf(name), 'utf8'));
const write = (task) => {
  const temporary = `${pathOf(task.name)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(task));
  renameSync(temporary, pathOf(task.name));
};
const all = () =>
  readdirSync(tasks)
    .filter((name) => name.endsWith('.json'))
    .map((name) => read(name.slice(0, -5)));
const flag = (name, kind) => join(tasks, `${name}.${kind}`);
const wanted = (word) => all().filter(({ name, job }) => name === word || job === word);
const active = ({ state }) => state === 'PENDING' || state === 'RUNNING';

function sbatch() {
  if (fault === 'full')
    fail('sbatch: error: AssocMaxSubmitJobLimit\nsbatch: error: Batch job submission failed');
  if (fault === 'refuse') fail('sbatch: error: invalid partition specified: nowhere');
  const script = resolve(words.at(-1));
  const lines = readFileSync(script, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('#SBATCH '))
    .map((line) => line.slice(8));
  const [first, last] = option('array', lines).split('%')[0].split('-').map(Number);
  const job = String(100 + new Set(all().map((task) => task.job)).size);
  for (let index = first; index <= last; index++)
    write({
      name: `${job}_${index}`,
      job,
      index,
      title: option('job-name', lines),
      state: 'PENDING',
      restarts: 0,
      script,
      cwd: process.cwd(),
      output: option('output').replaceAll('%a', String(index)).replaceAll('%%', '%'),
    });
  spawn(process.execPath, [fileURLToPath(import.meta.url), 'run', folder, job], {
    detached: true,
    stdio: 'ignore',
  }).unref();
  process.stdout.write(`${job}\n`);
}

async function runJob(job) {
  const queue = wanted(job).map(({ name }) => name);
  const worker = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const task = read(name);
      if (task.state !== 'PENDING') continue;
      const output = openSync(task.output, 'a');
      const child = spawn('bash', [task.script], {
        cwd: task.cwd,
        stdio: ['ignore', output, output],
        env: {
          ...process.env,
          SLURM_JOB_ID: String(Number(job) * 1000 + task.index),
          SLURM_ARRAY_JOB_ID: job,
          SLURM_ARRAY_TASK_ID: String(task.index),
          SLURM_CLUSTER_NAME: 'fake',
          ...(task.restarts > 0 ? { SLURM_RESTART_COUNT: String(task.restarts) } : {}),
        },
      });
      const ended = new Promise((done) => child.on('exit', (code, signal) => done({ code, signal })));
      write({ ...task, state: 'RUNNING', pid: child.pid });
      if (existsSync(flag(name, 'cancel'))) child.kill('SIGTERM');
      const { code, signal } = await ended;
      const number = signal === 'SIGKILL' ? 9 : signal === null ? 0 : 15;
      const exit = `${code ?? 0}:${number}`;
      if (existsSync(flag(name, 'requeue'))) {
        rmSync(flag(name, 'requeue'));
        write({ ...task, state: 'PENDING', restarts: task.restarts + 1 });
        queue.push(name);
      } else if (existsSync(flag(name, 'cancel'))) write({ ...task, state: 'CANCELLED', exit });
      else write({ ...task, state: code === 0 ? 'COMPLETED' : 'FAILED', exit });
    }
  };
  await Promise.all([worker(), worker()]);
}

function signalTask(task, kind, signal) {
  writeFileSync(flag(task.name, kind), '');
  if (task.state === 'PENDING' && kind === 'cancel') write({ ...task, state: 'CANCELLED', exit: '0:0' });
  if (task.state === 'RUNNING')
    try {
      process.kill(task.pid, signal);
    } catch {
      // Just ended.
    }
}

switch (command) {
  case 'sbatch':
    sbatch();
    break;
  case 'run':
    await runJob(words[0]);
    break;
  case 'squeue': {
    if (fault === 'silent') fail('slurm_load_jobs error: Unable to contact slurm controller');
    const names = option('name').split(',');
    for (const task of all().filter((t) => active(t) && names.includes(t.title)))
      process.stdout.write(
        `${option('format').replace('%F', task.job).replace('%K', task.index).replace('%T', task.state).replace('%r', 'Resources')}\n`,
      );
    break;
  }
  case 'scontrol': {
    if (words[1] === 'config') {
      const size = existsSync(join(folder, 'size')) ? readFileSync(join(folder, 'size'), 'utf8') : '1001';
      process.stdout.write(`ClusterName             = fake\nMaxArraySize            = ${size}\n`);
    } else if (words[0] === 'requeue')
      for (const task of wanted(words[1])) signalTask(task, 'requeue', 'SIGTERM');
    else {
      const [task] = wanted(words.at(-1));
      if (!task || fault === 'forgetful' || fault === 'amnesia')
        fail('slurm_load_jobs error: Invalid job id specified');
      process.stdout.write(
        `JobId=1 ArrayJobId=${task.job} JobState=${task.state} ExitCode=${task.exit ?? '0:0'}\n`,
      );
    }
    break;
  }
  case 'sacct': {
    const [task] = wanted(option('jobs'));
    if (!task || fault === 'amnesia') fail('Slurm accounting storage is disabled');
    process.stdout.write(`${task.state}${task.state === 'CANCELLED' ? ' by 0' : ''}|${task.exit}\n`);
    break;
  }
  case 'scancel': {
    const kill = option('signal') === 'KILL';
    for (const word of words.filter((w) => !w.startsWith('--')))
      for (const task of wanted(word).filter(active)) {
        if (!kill) signalTask(task, 'cancel', 'SIGTERM');
        else if (task.state === 'RUNNING') process.kill(task.pid, 'SIGKILL');
      }
    // As in the real one, a task that was told to end has not ended yet.
    await sleep(1);
    break;
  }
  default:
    fail(`no such command: ${command}`);
}
