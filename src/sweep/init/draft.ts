/** A design as the file it would be, and what the plan of that file comes to. */
import type { Interactions } from '../../data/interactions.js';
import { resolveBackend } from '../../kernels/choose.js';
import { UserError } from '../../util/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { type PlannedTrial, planSweep } from '../file/plan.js';
import { resolveSweep } from '../file/resolve.js';
import { checkSweepText, problemsError } from '../file/spec.js';
import { realCost, speedHere, workOf } from '../run/estimate.js';
import { wallSeconds } from '../run/share-cores.js';
import { factsOf } from '../run/start.js';
import { type Design, gridOf, sizeOf, widened } from './grid.js';
import type { DataLook } from './look.js';
import type { Choice, Recipe } from './recipe.js';
import { type Cost, type Heading, sweepText } from './text.js';

export interface Machine {
  cores: number;
  /** Bytes. */
  memory: number;
}

export interface Draft {
  design: Design;
  text: string;
  /** Hours and parameters that the goal allows. */
  hours: number;
  params: number;
  trials: number;
  workers: number;
  /** Most wall seconds by the plan, as `--dry-run` says them, and with evaluations and the updates of large item tables. */
  seconds: { planned: number; whole: number };
  /** Whether the largest trial fits this machine's memory. */
  fitsMemory: boolean;
}

interface Given {
  look: DataLook;
  machine: Machine;
  hours: number;
  /** Asked for; the largest size of the grid where absent. */
  params?: number;
}

/** Of the memory, the share that trials may fill. */
const MEMORY = 0.7;
/** FLOPs that take as long as the update of a parameter: reading and writing it, its gradient and its moments. */
const UPDATE_FLOPS = 30;

/** Makes drafts of one data set by a recipe; the data are split once. */
export async function drafter(
  data: Interactions,
  heading: Heading,
  { look, machine, hours, params: asked }: Given,
): Promise<(recipe: Recipe, design: Design) => Draft> {
  const [backend, costs] = await Promise.all([resolveBackend('auto'), realCost()]);
  const { speed, from } = speedHere(backend);
  const facts = factsOf(data, { evaluation: { ks: [], select: '', history: 'masked' }, split: undefined });
  const plan = (text: string) => planSweep(resolveSweep(sourceOf(text)), backend, facts, costs);
  return (recipe, design) => {
    const full = gridOf(design, look, recipe);
    const params = paramsFor(asked, sizeOf(recipe, look.items, full.dims.at(-1)!, full.layers.at(-1)!).total);
    const grid = widened(full, look, recipe, params.value);
    const textWith = (cost?: Cost, workers?: Choice<number>) =>
      sweepText(heading, look, recipe, grid, { hours, params }, cost, workers);
    const { trials } = planned(data.name, () => plan(textWith()));
    const largest = Math.max(...trials.map(({ memory }) => memory));
    const room = Math.floor((MEMORY * machine.memory) / largest);
    const workers = Math.max(1, Math.min(machine.cores, room));
    // Longest first, as the sweep runs them; that free cores go to the last ones is not counted on.
    const walls = (of: (trial: (typeof trials)[0]) => number) =>
      wallSeconds(
        trials.map((trial) => ({ work: of(trial), most: 1 })).sort((a, b) => b.work - a.work),
        workers,
        workers,
      );
    const seconds = {
      planned: walls((trial) => workOf(trial) / speed),
      whole: walls((trial) => (workOf(trial) + beside(trial, look, recipe)) / speed),
    };
    const lines = [
      `${trials.length} trials if all are made, of up to ${formatBytes(largest)}. By --dry-run at most ${formatDuration(seconds.planned)} with ${workers} workers`,
      `at ${formatCount(speed)} FLOPs/s each (${from});`,
      `${formatDuration(seconds.whole)} with evaluations and updates of the item table, of ${formatDuration(3600 * hours)}.`,
    ];
    const cost = { lines, trials: trials.length, seconds: seconds.whole };
    const fewer = `${machine.cores} trials of up to ${formatBytes(largest)} would not fit this machine's ${formatBytes(machine.memory)}`;
    return {
      design,
      text: textWith(cost, workers < machine.cores ? { value: workers, why: fewer } : undefined),
      hours,
      params: params.value,
      trials: trials.length,
      workers,
      seconds,
      fitsMemory: room >= 1,
    };
  };
}

/**
 * Work of a trial that its plan does not count: evaluations, which go forward over the history of every evaluated user (a third of a
 * training step) and score all items, and what every step costs the whole table.
 */
function beside(
  trial: Pick<PlannedTrial, 'config' | 'parameters' | 'tokens' | 'flops'>,
  { items, evaluated, tokens, users: all }: DataLook,
  { users }: Recipe,
): number {
  const { config, parameters } = trial;
  const { training, model } = config;
  const ranked = Math.min(evaluated, users?.value ?? evaluated);
  const history = Math.min(model.maxLength, tokens / all);
  const anEvent = workOf(trial) / Math.max(1, training.epochs * trial.tokens);
  const evaluation = ranked * ((history * anEvent) / 3 + 2 * model.dim * items);
  const steps = Math.ceil(trial.tokens / (training.rows * model.maxLength));
  return training.epochs * (evaluation + steps * UPDATE_FLOPS * parameters);
}

function paramsFor(asked: number | undefined, largest: number): Choice<number> {
  if (asked !== undefined) return { value: asked, why: 'most parameters of the model to be trained' };
  const unit = 10 ** (Math.floor(Math.log10(largest)) - 1);
  return {
    value: unit * Math.ceil(largest / unit),
    why: 'no limit was named: up to the largest size of the grid',
  };
}

function sourceOf(text: string) {
  const { source, problems } = checkSweepText(text, 'sweep.yaml');
  if (!source) throw problemsError('sweep.yaml', problems);
  return source;
}

/** What the data do not allow is said of the data: there is no file yet. */
function planned<T>(name: string, plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.message, { place: name, remedy: error.remedy, cause: error });
  }
}
