/** What `perflaw sweep --dry-run` says: every trial, what it costs, and when the sweep would end. */
import { sliceLabel } from '../../data/slice.js';
import type { PreparedSweep } from '../../sweep/run/start.js';
import { ExitCode } from '../../util/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { formatTable } from '../../util/table.js';
import { print, printJson } from '../options/command.js';

/** @param queued whether a batch system runs the trials, on cores of its own. */
export async function dryRun(prepared: PreparedSweep, queued: boolean, json?: boolean): Promise<number> {
  const { plan, store, stored, sweep } = prepared;
  const [
    { longestFirst },
    { evaluatedOf, expectedPace, secondsAt },
    { wallSeconds },
    { coresOf },
    { varyingColumns },
  ] = await Promise.all([
    import('../../sweep/run/estimate.js'),
    import('../../sweep/run/pace/pace.js'),
    import('../../sweep/run/share-cores.js'),
    import('../../sweep/run/start.js'),
    import('../../sweep/results/varying.js'),
  ]);
  const pace = await expectedPace(store, stored, !queued);
  const { speed, from } = pace;
  const evaluated = evaluatedOf(stored);
  const trials = plan.trials.map((trial) => {
    const { state } = store.readTrial(trial.id, stored.numericVersion);
    return {
      ...trial,
      state: state === 'absent' ? 'new' : state,
      seconds: secondsAt(pace, trial, evaluated),
    };
  });
  const open = trials.filter(({ state }) => state !== 'done');
  const shared = queued ? undefined : coresOf(sweep, stored.data.numItems);
  const cores = shared?.count ?? sweep.workers;
  const order = sweep.budget.hours === undefined ? longestFirst(open) : open;
  const work = order.map((trial) => ({ work: trial.seconds, most: shared?.mostOf(trial) ?? 1 }));
  const wall = wallSeconds(work, sweep.workers, cores);
  const bound = open.reduce((sum, { seconds }) => sum + seconds, 0) / cores;
  const start = stored.goal && (await startOf(prepared, queued));
  if (json) {
    const { duplicates, excluded, beyondBudget, tuned } = plan;
    const head = { name: sweep.name, path: store.path, data: stored.data, workers: sweep.workers, cores };
    printJson({
      ...head,
      trials,
      duplicates,
      excluded,
      tuned,
      beyondBudget: beyondBudget.length,
      speed,
      expectedSeconds: wall,
      boundSeconds: bound,
      ...(start ? { goal: stored.goal, start: start.runs.map(({ id }) => id) } : {}),
    });
    return ExitCode.ok;
  }
  const varying = varyingColumns(
    plan.trials.map(({ config }) => config),
    ['model'],
  );
  print(
    formatTable(
      [
        'trial',
        'model',
        'slice',
        'layers',
        'dim',
        ...varying.names,
        'seed',
        'params',
        'tokens',
        'FLOPs',
        'memory',
        'state',
        'time',
      ],
      trials.map(({ id, config, parameters, tokens, flops, memory, state, seconds }) => [
        id,
        config.model.name,
        sliceLabel(config.slice),
        String(config.model.layers),
        String(config.model.dim),
        ...varying.of(config).map(String),
        String(config.seed),
        formatCount(parameters),
        formatCount(tokens),
        formatCount(flops),
        formatBytes(memory),
        state === 'done' ? 'cached' : start?.runs.some((one) => one.id === id) ? 'start' : state,
        formatDuration(seconds),
      ]),
      { spare: ['model', 'memory', 'params', 'tokens', 'seed', 'slice', 'layers'] },
    ),
  );
  print();
  const left = [
    ...(plan.duplicates > 0 ? [`${plan.duplicates} named twice`] : []),
    ...(plan.excluded > 0 ? [`${plan.excluded} excluded`] : []),
    ...(plan.beyondBudget.length > 0 ? [`${plan.beyondBudget.length} past the budget`] : []),
  ];
  print(
    `${trials.length} trials on ${stored.data.name}, ${open.length} to run${left.length > 0 ? ` (${left.join(', ')})` : ''}.`,
  );
  if (plan.tuned.length > 0)
    print(
      `Tuned: ${plan.tuned.join(', ')}. The best by validation ${sweep.evaluation.select} stands for each configuration.`,
    );
  print(
    `At most ${formatDuration(wall)} with ${sweep.workers} workers on ${cores} ${cores === 1 ? 'core' : 'cores'} at ${formatCount(speed)} FLOPs/s each (${from}), evaluations and starts counted, ${formatDuration(bound)} if no core ever waited; early stopping may end sooner.`,
  );
  if (start) {
    const { gridSeconds } = await import('../../sweep/run/goal/rounds.js');
    const secondsOf = (some: typeof stored.trials) => gridSeconds(some, stored, pace);
    print((await import('./goal-text.js')).startWords(start, stored, secondsOf));
  }
  return ExitCode.ok;
}

async function startOf({ store, stored, sweep }: PreparedSweep, queued: boolean) {
  return (await import('../../sweep/run/goal/rounds.js')).goalStart(store, stored, sweep.placeOf, !queued);
}
