/** `perflaw sweep FILE`: trains every configuration of a sweep file. Run again, it resumes. */
import type { Argv } from 'yargs';
import { BACKENDS } from '../kernels/choose.js';
import type { LauncherKind } from '../sweep/launch/kind.js';
import { LAUNCHER_NAMES, type LauncherName, launcherKind } from '../sweep/launch/launchers.js';
import type { RunObserver, RunSummary } from '../sweep/run/run.js';
import type { PreparedSweep, StartOptions } from '../sweep/run/start.js';
import type { StoredDecision } from '../sweep/store/decisions.js';
import type { StoredGoal } from '../sweep/store/layout.js';
import type { DoneRecord } from '../sweep/store/record.js';
import { ExitCode, UserError } from '../util/errors.js';
import { formatTable } from '../util/table.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { threadsOption } from './options/threads.js';
import { printSummary, summaryJson } from './words/sweep-summary.js';

/** Launchers whose trials go on without the command. */
const QUEUES = LAUNCHER_NAMES.filter((name) => launcherKind(name).queue).join(' or ');

export function options(yargs: Argv): Argv {
  return yargs
    .positional('file', { type: 'string', describe: 'Sweep file (YAML), such as sweeps/quickstart.yaml' })
    .option('dry-run', { type: 'boolean', describe: 'Show every trial with its cost, and run nothing' })
    .option('data', { type: 'string', describe: "Data set or file, over the sweep file's" })
    .option('workers', { type: 'number', describe: 'Trials at the same time [default: the cores]' })
    .option('threads', {
      type: 'string',
      describe: 'Threads of a trial on wasm: auto (the cores that are free) or a number [default: auto]',
    })
    .option('backend', { type: 'string', describe: `Where trials run: auto, ${BACKENDS.join(', ')}` })
    .option('out', { type: 'string', describe: 'Folder for the results [default: reports/<name>]' })
    .option('retry-failed', { type: 'boolean', describe: 'Run failed trials again' })
    .option('print-config', { type: 'boolean', describe: 'Show every setting and where it comes from' })
    .option('launch', {
      type: 'string',
      describe: `Where trials run: ${LAUNCHER_NAMES.join(', ')} [default: local]`,
    })
    .option('detach', { type: 'boolean', describe: `With ${QUEUES}: submit what is missing and return` })
    .option('cancel', { type: 'boolean', describe: `With ${QUEUES}: take its jobs out of the queue` })
    .option('watch', { type: 'boolean', describe: 'Show the progress of a sweep that another command runs' })
    .example('$0 sweep sweeps/quickstart.yaml', 'Train the embedded example; the same again resumes')
    .example('$0 sweep sweeps/ml100k.yaml --data u.data', 'The published grid on a file you have')
    .example('$0 sweep my.yaml --dry-run', 'What would run, and what it would cost')
    .example('$0 sweep my.yaml --launch slurm --detach', 'Submit to a cluster; the same again comes back')
    .epilogue(
      'Ctrl-C once stops with checkpoints, twice at once; jobs of a cluster go on without the command. Exit codes: 0 done, 2 wrong file or settings, 3 some trials failed, 130 interrupted.',
    );
}

export async function run(args: Arguments): Promise<number> {
  const file = String(args['file']);
  if (file === '') throw new UserError('the name of the sweep file is empty');
  const overrides = {
    data: args['data'] as string | undefined,
    backend: backendOption(args['backend']),
    workers: workersOption(args['workers']),
    threads: threadsOption(args['threads']),
  };
  const out = args['out'] as string | undefined;
  if (args['print-config']) return printConfig(file, overrides, args.json);
  if (args['watch']) return watch(file, out);
  const { launch, detach } = launchOptions(args);
  if (args['cancel']) return cancel(file, out, launch, args.json);
  const { prepareSweep } = await import('../sweep/run/start.js');
  const prepared = await prepareSweep(file, { ...overrides, out, launch, onNote: note });
  if (args['dry-run'])
    return (await import('./words/plan-text.js')).dryRun(prepared, isQueued(launch), args.json);
  return train(prepared, { retryFailed: Boolean(args['retry-failed']), launch, detach }, args.json);
}

function launchOptions(args: Arguments): { launch: LauncherName; detach: boolean } {
  const asked = String(args['launch'] ?? 'local');
  const detach = Boolean(args['detach']);
  const launch = LAUNCHER_NAMES.find((name) => name === asked);
  if (!launch)
    throw new UserError(`unknown launcher "${asked}"`, {
      place: '--launch',
      remedy: `Known: ${LAUNCHER_NAMES.join(', ')}.`,
    });
  for (const option of ['detach', 'cancel'])
    if (args[option] && !launcherKind(launch).queue)
      throw new UserError(`--${option} is for jobs that outlive the command`, {
        place: `--${option}`,
        remedy: `Add --launch ${QUEUES}.`,
      });
  return { launch, detach };
}

/** Whether trials go on without the command, on cores of their own. */
function isQueued(launch: LauncherName): boolean {
  return launcherKind(launch).queue !== undefined;
}

async function cancel(
  file: string,
  out: string | undefined,
  launch: LauncherName,
  json?: boolean,
): Promise<number> {
  const [{ readSweepFile }, { sweepFolder }] = await Promise.all([
    import('../sweep/file/spec.js'),
    import('../sweep/store/locate.js'),
  ]);
  const { name } = readSweepFile(file);
  const queue = launcherKind(launch).queue!;
  const cancelled = await queue.cancel(sweepFolder(name, out), name);
  if (json) printJson({ name, launch, cancelled });
  else if (cancelled === 0) print(`${queue.title} has no trial of this sweep.`);
  else
    print(
      `${cancelled === 1 ? '1 trial' : `${cancelled} trials`} taken out of the queue. Those that ran write their checkpoint; the same command without --cancel goes on.`,
    );
  return ExitCode.ok;
}

function workersOption(value: unknown): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= 4096))
    return value as number | undefined;
  throw new UserError(`--workers must be a whole number from 1 to 4096, not ${value}`);
}

function backendOption(value: unknown): string | undefined {
  const known = ['auto', ...BACKENDS];
  if (value === undefined || known.includes(String(value))) return value as string | undefined;
  throw new UserError(`unknown backend "${value}"`, {
    place: '--backend',
    remedy: `Known: ${known.join(', ')}.`,
  });
}

async function printConfig(file: string, overrides: object, json?: boolean): Promise<number> {
  const [{ readSweepFile }, { resolveSweep }] = await Promise.all([
    import('../sweep/file/spec.js'),
    import('../sweep/file/resolve.js'),
  ]);
  const { lines } = resolveSweep(readSweepFile(file), overrides);
  if (json) printJson(lines);
  else
    print(
      formatTable(
        ['setting', 'value', 'from'],
        lines.map(({ path, value, from }) => [path, JSON.stringify(value), from]),
      ),
    );
  return ExitCode.ok;
}

/** Shows a sweep that another command runs, given by its file, until it ends or Ctrl-C. */
export async function watch(file: string, out?: string): Promise<number> {
  const [{ readSweepFile }, { watchSweep }, { sweepFolder }] = await Promise.all([
    import('../sweep/file/spec.js'),
    import('../sweep/run/progress/watch.js'),
    import('../sweep/store/locate.js'),
  ]);
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  const path = sweepFolder(readSweepFile(file).name, out);
  return (await watchSweep(path, process.stderr, stop.signal)) ? ExitCode.ok : ExitCode.interrupted;
}

/** How a sweep ended. */
export interface SweepEnd {
  code: number;
  summary: RunSummary;
  done: DoneRecord[];
  /** What its goal came to, where it has one. */
  goal?: { asked: StoredGoal; decisions: StoredDecision[]; words?: string };
}

/** Runs a prepared sweep with its progress on stderr; signals stop it with checkpoints. */
export async function runPrepared(prepared: PreparedSweep, options: StartOptions): Promise<SweepEnd> {
  const { sweep, stored, plan } = prepared;
  const [{ coresOf, startSweep }, { newProgress, showProgress }] = await Promise.all([
    import('../sweep/run/start.js'),
    import('../sweep/run/progress/progress.js'),
  ]);
  if (plan.beyondBudget.length > 0)
    note(`${plan.beyondBudget.length} trials lie past the budget and are not planned.`);
  const { goal } = stored;
  const workers = Math.min(stored.workers, stored.trials.length);
  const cores = isQueued(options.launch ?? 'local') ? workers : coresOf(sweep, stored.data.numItems).count;
  const state = newProgress(sweep.name, workers, goal ? [] : stored.trials, cores);
  const [{ readDecisions }, { decisionLine, goalEnd }] = await Promise.all([
    import('../sweep/store/decisions.js'),
    import('./words/goal-text.js'),
  ]);
  const view = showProgress(state, { stream: process.stderr });
  const queue = options.launch && launcherKind(options.launch).queue;
  const stop = new AbortController();
  const kill = new AbortController();
  const onSignal = () => {
    if (stop.signal.aborted) kill.abort();
    else {
      if (!queue) view.observer.note?.('Stopping: trials write their checkpoints. Once more stops at once.');
      stop.abort();
    }
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, onSignal);
  let summary: RunSummary;
  try {
    const abort = { signal: stop.signal, killSignal: kill.signal };
    const decided: RunObserver['decided'] = (decision, round) => {
      const ids = new Set([...(decision.found ?? []), ...decision.runs.map(({ id }) => id)]);
      state.trials = [...state.trials, ...stored.trials.filter(({ id }) => ids.has(id))];
      view.observer.note?.(decisionLine(decision, round, goal!));
    };
    summary = await startSweep(prepared, { ...options, ...abort }, { ...view.observer, decided });
  } finally {
    view.close();
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, onSignal);
  }
  const done = [...summary.records.values()].filter(
    (record): record is DoneRecord => record.status === 'done',
  );
  const { interrupted, failed } = summary;
  const code = interrupted ? ExitCode.interrupted : failed > 0 ? ExitCode.trialsFailed : ExitCode.ok;
  const decisions = goal && readDecisions(prepared.store.path, goal);
  const words = decisions && decisions.length > 0 ? goalEnd(decisions, goal!) : undefined;
  return { code, summary, done, ...(decisions ? { goal: { asked: goal!, decisions, words } } : {}) };
}

async function train(prepared: PreparedSweep, options: StartOptions, json?: boolean): Promise<number> {
  const { code, summary, done, goal } = await runPrepared(prepared, options);
  if (json)
    printJson({
      ...summaryJson(prepared, summary, done),
      ...(goal ? { goal: goal.asked, decisions: goal.decisions } : {}),
    });
  else {
    printSummary(prepared.store.path, summary, done);
    if (goal?.words) print(goal.words);
  }
  const queue = options.launch && launcherKind(options.launch).queue;
  if (queue && summary.left > 0) await sayHowToComeBack(prepared, queue, summary.left);
  return code;
}

async function sayHowToComeBack(
  { store }: PreparedSweep,
  { title, byHand }: NonNullable<LauncherKind['queue']>,
  left: number,
): Promise<void> {
  const more = byHand ? `\n(${await byHand(store.path)}).` : '.';
  note(
    [
      `${left === 1 ? '1 trial is' : `${left} trials are`} with ${title} and go on without this command.`,
      `The same command comes back to them and submits what is missing; --watch shows them; --cancel stops them with checkpoints${more}`,
    ].join('\n'),
  );
}
