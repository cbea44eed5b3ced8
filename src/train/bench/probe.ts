/** How long a training's step and an evaluation take on the open backend, in a second or two: what a plan's time follows from. */
import { trainingFlopsPerToken } from '../../model/size.js';
import { createRandom } from '../../util/random.js';
import type { TrialConfig } from '../config.js';
import { rankTargets } from '../evaluation/evaluate.js';
import type { EvaluationSet } from '../evaluation/evaluation-set.js';
import { createStepBench } from './step-bench.js';

/** What is to be trained. */
export interface ProbeShape {
  config: TrialConfig;
  numItems: number;
  /** Events of an evaluated user's history. */
  history: number;
}

export interface Probed {
  /** Seconds of a step, and what it holds: rows, events and FLOPs. */
  step: { seconds: number; rows: number; tokens: number; flops: number };
  secondsAUser: number;
}

/** Steps are measured for so long, and evaluations. */
const STEP_SECONDS = 0.5;
const EVALUATION_SECONDS = 0.2;
/** FLOPs of a step that is measured, and users at a time: of a large model fewer rows say the same. */
const STEP_FLOPS = 2e9;
const USERS = 256;

/** Trains on drawn histories, on the open backend. */
export async function probeTraining({ config, numItems, history }: ProbeShape): Promise<Probed> {
  const { model, training, backend } = config;
  const aRow = model.maxLength * trainingFlopsPerToken(model, numItems, training);
  const rows = Math.max(1, Math.min(training.rows, Math.floor(STEP_FLOPS / aRow)));
  const bench = await createStepBench({ model, training, rows, items: numItems, backend });
  try {
    await bench.run();
    await bench.finish();
    const step = await timed(STEP_SECONDS, async () => {
      await bench.run();
      await bench.finish();
    });
    const set = drawSet(numItems, history, USERS);
    rankTargets(bench.model, { ...set, targets: set.targets.subarray(0, 1) });
    const evaluation = await timed(EVALUATION_SECONDS, () => void rankTargets(bench.model, set));
    const { tokens, flops } = bench;
    return { step: { seconds: step, rows, tokens, flops }, secondsAUser: evaluation / USERS };
  } finally {
    bench.dispose();
  }
}

/** Median of the times that fit into so many seconds: one at least. */
async function timed(seconds: number, work: () => Promise<void> | void): Promise<number> {
  const times: number[] = [];
  const until = performance.now() + 1000 * seconds;
  do {
    const begun = performance.now();
    await work();
    times.push((performance.now() - begun) / 1000);
  } while (performance.now() < until);
  return times.sort((a, b) => a - b)[times.length >> 1]!;
}

function drawSet(numItems: number, history: number, users: number): EvaluationSet {
  const random = createRandom('probe');
  const draw = (count: number) => Int32Array.from({ length: count }, () => 1 + random.int(numItems));
  return {
    users: Int32Array.from({ length: users }, (_, u) => u),
    items: draw(users * history),
    timestamps: Float64Array.from({ length: users * history }, (_, i) => 1e9 + 3600 * i),
    begins: Int32Array.from({ length: users }, (_, u) => u * history),
    ends: Int32Array.from({ length: users }, (_, u) => (u + 1) * history),
    targets: draw(users),
  };
}
