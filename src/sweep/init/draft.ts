/** A design as the file it would be, and what the plan of that file comes to. */
import type { Interactions } from '../../data/interactions.js';
import { resolveBackend } from '../../kernels/choose.js';
import { UserError } from '../../util/errors.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { planSweep } from '../file/plan.js';
import { resolveSweep } from '../file/resolve.js';
import { checkSweepText, problemsError } from '../file/spec.js';
import { realCost, type Worked } from '../run/estimate.js';
import { type Evaluated, type Pace, secondsAt, typicalTrial } from '../run/pace/pace.js';
import { wallSeconds } from '../run/share-cores.js';
import { factsOf, rankedUsers } from '../run/start.js';
import { type Design, gridOf, sizeOf, widened } from './grid.js';
import type { DataLook } from './look.js';
import type { Choice, Recipe } from './recipe.js';
import { type Cost, type Heading, sweepText } from './text.js';

export interface Machine {
  cores: number;
  /** Bytes. */
  memory: number;
  /** How fast trials like one are here, so many side by side. */
  paceOf(trial: Worked, evaluated: Evaluated, backend: string, workers: number): Promise<Pace>;
}

export interface Draft {
  design: Design;
  text: string;
  /** Hours and parameters that the goal allows. */
  hours: number;
  params: number;
  trials: number;
  workers: number;
  /** Most wall seconds, as `--dry-run` says them. */
  seconds: number;
  /** The trial in the middle of its work, and how fast trials like it are here. */
  typical: Worked;
  measure(): Promise<Pace>;
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

/** Makes drafts of one data set by a recipe, at a pace; the data are split once. */
export async function drafter(
  data: Interactions,
  heading: Heading,
  { look, machine, hours, params: asked }: Given,
): Promise<(pace: Pace, recipe: Recipe, design: Design) => Draft> {
  const [backend, costs] = await Promise.all([resolveBackend('auto'), realCost()]);
  const facts = factsOf(data, { evaluation: { ks: [], select: '', history: 'masked' }, split: undefined });
  const plan = (text: string) => planSweep(resolveSweep(sourceOf(text)), backend, facts, costs);
  const ranked = new Map<number | undefined, Evaluated['ranked']>();
  const evaluatedBy = ({ users }: Recipe): Evaluated => {
    const evaluation = { ks: [], select: '', history: 'masked' as const, users: users?.value };
    const of = ranked.get(users?.value) ?? rankedUsers(data, { evaluation, split: undefined });
    ranked.set(users?.value, of);
    return { numItems: look.items, ranked: of };
  };
  return (pace, recipe, design) => {
    const full = gridOf(design, look, recipe);
    const params = paramsFor(asked, sizeOf(recipe, look.items, full.dims.at(-1)!, full.layers.at(-1)!).total);
    const grid = widened(full, look, recipe, params.value);
    const textWith = (cost?: Cost, workers?: Choice<number>) =>
      sweepText(heading, look, recipe, grid, { hours, params }, cost, workers);
    const { trials } = planned(data.name, () => plan(textWith()));
    const largest = Math.max(...trials.map(({ memory }) => memory));
    const room = Math.floor((MEMORY * machine.memory) / largest);
    const workers = Math.max(1, Math.min(machine.cores, room));
    const evaluated = evaluatedBy(recipe);
    // Longest first, as the sweep runs them; that free cores go to the last ones is not counted on.
    const seconds = wallSeconds(
      trials
        .map((trial) => ({ work: secondsAt(pace, trial, evaluated), most: 1 }))
        .sort((a, b) => b.work - a.work),
      workers,
      workers,
    );
    const lines = [
      `${trials.length} trials if all are made, of up to ${formatBytes(largest)}: at most ${formatDuration(seconds)} of ${formatDuration(3600 * hours)} with ${workers} workers,`,
      `evaluations and starts counted, at ${formatCount(pace.speed)} FLOPs/s each (${pace.from}).`,
    ];
    const cost = { lines, trials: trials.length, seconds };
    const fewer = `${machine.cores} trials of up to ${formatBytes(largest)} would not fit this machine's ${formatBytes(machine.memory)}`;
    const typical = typicalTrial(trials)!;
    return {
      design,
      text: textWith(cost, workers < machine.cores ? { value: workers, why: fewer } : undefined),
      hours,
      params: params.value,
      trials: trials.length,
      workers,
      seconds,
      typical,
      measure: () => machine.paceOf(typical, evaluated, backend, workers),
      fitsMemory: room >= 1,
    };
  };
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
