/** Looks at a sweep that other processes run, on this machine or another, through nothing but its store. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ClaimWatch } from '../../store/claim.js';
import { chosenIds, hasStopped, readDecisions } from '../../store/decisions.js';
import { SweepStore } from '../../store/store.js';
import { newProgress, showProgress } from './progress.js';

/**
 * Shows a sweep's progress until every trial has a result (with a goal: until it stopped) or `signal` fires.
 * @returns whether the sweep came to its end.
 * @throws UserError when there is no such sweep.
 */
export async function watchSweep(
  path: string,
  stream: NodeJS.WriteStream,
  signal?: AbortSignal,
  everyMs = 1000,
): Promise<boolean> {
  const store = new SweepStore(path);
  const plan = store.readPlan();
  const { goal } = plan;
  const state = newProgress(plan.name, plan.workers, goal ? [] : plan.trials);
  const view = showProgress(state, { stream });
  const watch = new ClaimWatch();
  let first = true;
  try {
    while (!signal?.aborted) {
      const decisions = goal ? readDecisions(path, goal) : [];
      if (goal) {
        const asked = chosenIds(decisions);
        state.trials = plan.trials.filter(({ id }) => asked.has(id));
      }
      for (const trial of state.trials) {
        if (state.records.has(trial.id)) continue;
        const found = store.readTrial(trial.id, plan.numericVersion);
        if (found.state === 'done' || found.state === 'failed') {
          view.observer.finished?.(trial, found.record, first);
          continue;
        }
        const progress = store.readProgress(trial.id);
        const working = progress !== undefined && watch.look(store.folder(trial.id)).state === 'alive';
        if (working) {
          if (!state.running.has(trial.id)) view.observer.started?.(trial);
          view.observer.progress?.(trial, progress);
        } else if (state.running.has(trial.id)) view.observer.stopped?.(trial);
      }
      if (state.records.size === state.trials.length && (!goal || hasStopped(decisions))) return true;
      first = false;
      await sleep(everyMs, undefined, { signal }).catch(() => {});
    }
    return false;
  } finally {
    view.close();
  }
}
