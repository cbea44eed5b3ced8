/**
 * What a configuration costs: parameters exactly, from the model's configuration; training FLOPs from its FLOPs a token and
 * the tokens that the measured runs trained on; hours from the measured throughput; memory from the measured peaks. Where the
 * model is not known (a table made elsewhere) parameters are calibrated on a column of them.
 */
import { defaultLoss, type ModelConfig } from '../model/config.js';
import { countParameters, type FlopOptions, trainingFlopsPerToken } from '../model/size.js';
import { UserError } from '../util/errors.js';
import { formatCount } from '../util/format.js';
import { type Calibrated, COST_PARTS, calibrate, type Shape, SIZE_PARTS } from './calibrate.js';
import type { Observation } from './points/observation.js';

export interface CostModel {
  /** Parameters; undefined for a shape that the model cannot have. */
  params(shape: Shape): { total: number; nonEmbedding: number | undefined } | undefined;
  /** Exact counts, or calibrated ones. */
  exact: boolean;
  flops?(shape: Shape): number;
  seconds?(shape: Shape): number;
  memoryBytes?(shape: Shape): number;
  /** How each was had, for people. */
  notes: string[];
}

export interface ModelSource {
  /** The models that were measured; the one that agrees with the observations' settings is used. */
  models?: readonly ModelConfig[];
  /** Items of the catalogue, without the padding row. */
  numItems?: number;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[values.length >> 1]!;
const shapeOf = ({ layers, dim }: Observation): Shape => ({ layers, dim });

/** The model whose settings agree with those of the observations. */
function templateFor(
  observations: readonly Observation[],
  models: readonly ModelConfig[],
): ModelConfig | undefined {
  const settings = observations[0]?.config ?? {};
  const agrees = (model: ModelConfig) =>
    Object.entries({ ...model, model: model.name } as Record<string, unknown>).every(
      ([key, value]) =>
        key === 'layers' ||
        key === 'dim' ||
        key === 'name' ||
        settings[key] === undefined ||
        settings[key] === value,
    );
  return models.find(agrees);
}

/** FLOPs of a token, and in words how they were had. */
interface PerToken {
  at(shape: Shape): number;
  words: string;
}

/**
 * FLOPs a token by the model's count. How many of the tokens predict a loss at the last position does not tell (it takes the
 * lengths of the histories and the prefixes of each): that share is what the FLOPs of the runs say, which are linear in it.
 */
function perTokenOf(
  model: ModelConfig,
  numItems: number,
  observations: readonly Observation[],
): PerToken | undefined {
  const { loss: said, negatives } = observations[0]?.config ?? {};
  const loss = said === 'all' || said === 'last' ? said : defaultLoss(model.name);
  const options: FlopOptions = { loss, ...(typeof negatives === 'number' ? { negatives } : {}) };
  const count = (shape: Shape, predicting: number) =>
    trainingFlopsPerToken({ ...model, ...shape }, numItems, { ...options, predicting });
  if (loss === 'all') return { at: (shape) => count(shape, 1), words: 'exact a token' };
  const having = observations.filter((one) => one.flops !== undefined && (one.trainingTokens ?? 0) > 0);
  const shares = having.map((one) => {
    const [none, all] = [count(shapeOf(one), 0), count(shapeOf(one), 1)];
    return Math.max(0, one.flops! / one.trainingTokens! - none) / (all - none);
  });
  if (shares.length > 0) {
    const share = median(shares);
    return { at: (shape) => count(shape, share), words: 'exact a token' };
  }
  // without the tokens that a run trained on: they, and those that predict, are the two parts of its FLOPs
  const measured = observed(observations, 'flops');
  const parts = (shape: Shape) => [count(shape, 0), count(shape, 1) - count(shape, 0)];
  const fit = measured && calibrate(measured.shapes, measured.values, parts);
  return fit && { at: fit.at, words: 'the share of tokens that predict fitted to the measured runs' };
}

/**
 * @param observations of one panel.
 * @throws UserError when parameters can neither be counted nor calibrated.
 */
export function costModel(observations: readonly Observation[], source: ModelSource): CostModel {
  const template = source.numItems === undefined ? undefined : templateFor(observations, source.models ?? []);
  const notes: string[] = [];
  const cost: CostModel =
    template !== undefined
      ? { exact: true, notes, params: (shape) => count({ ...template, ...shape }, source.numItems!) }
      : { exact: false, notes, params: calibratedParams(observations, notes) };
  addFlops(cost, observations, template && perTokenOf(template, source.numItems!, observations));
  addSeconds(cost, observations);
  const memory = observed(observations, 'peakMemoryBytes');
  const memoryFit = memory && calibrate(memory.shapes, memory.values, COST_PARTS);
  if (memoryFit) {
    cost.memoryBytes = memoryFit.at;
    notes.push(
      `memory: fitted to ${memory.values.length} measured peaks, at most ${percent(memoryFit.worst)} off`,
    );
  }
  return cost;
}

const percent = (share: number) => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;

function count(config: ModelConfig, numItems: number) {
  try {
    return countParameters(config, numItems);
  } catch (error) {
    // a dim that headDim does not divide: the model does not exist
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function observed(
  observations: readonly Observation[],
  field: 'params' | 'nonEmbeddingParams' | 'flops' | 'seconds' | 'peakMemoryBytes',
): { shapes: Shape[]; values: number[] } | undefined {
  const having = observations.filter((observation) => (observation[field] ?? 0) > 0);
  if (having.length === 0) return undefined;
  return { shapes: having.map(shapeOf), values: having.map((observation) => observation[field]!) };
}

function calibratedParams(observations: readonly Observation[], notes: string[]): CostModel['params'] {
  const total = observed(observations, 'params');
  const fit = total && calibrate(total.shapes, total.values, SIZE_PARTS);
  if (!fit)
    throw new UserError('the parameters of configurations that were not run cannot be counted', {
      place: observations[0]?.source,
      remedy:
        'Give --items N, the number of items (and --model, if it is not mamba4rec), or add a column params with at least two configurations.',
    });
  notes.push(
    `parameters: fitted to the column params (${total.values.length} rows), at most ${percent(fit.worst)} off`,
  );
  const rest = observed(observations, 'nonEmbeddingParams');
  const restFit: Calibrated | undefined = rest && calibrate(rest.shapes, rest.values, SIZE_PARTS);
  return (shape) => ({
    total: Math.round(fit.at(shape)),
    nonEmbedding: restFit ? Math.round(restFit.at(shape)) : undefined,
  });
}

function addFlops(
  cost: CostModel,
  observations: readonly Observation[],
  perToken: PerToken | undefined,
): void {
  const measured = observed(observations, 'flops');
  if (!measured) return;
  if (perToken) {
    const tokens = median(measured.values.map((value, i) => value / perToken.at(measured.shapes[i]!)));
    cost.flops = (shape) => tokens * perToken.at(shape);
    const worst = Math.max(
      ...measured.values.map((value, i) => Math.abs(cost.flops!(measured.shapes[i]!) / value - 1)),
    );
    const known = observations.map((one) => one.trainingTokens ?? 0).filter((count) => count > 0);
    const trained = known.length > 0 ? `the ${formatCount(median(known))} tokens` : 'the tokens';
    cost.notes.push(
      `FLOPs: ${perToken.words}, times ${trained} that the median run trained on; at most ${percent(worst)} off`,
    );
    return;
  }
  const fit = calibrate(measured.shapes, measured.values, SIZE_PARTS);
  if (!fit) return;
  cost.flops = fit.at;
  cost.notes.push(`FLOPs: fitted to the measured runs, at most ${percent(fit.worst)} off`);
}

/** Hours: a start-up time and the FLOPs at a constant rate, never faster than the fastest run; by size where no FLOPs are known. */
function addSeconds(cost: CostModel, observations: readonly Observation[]): void {
  const measured = observed(observations, 'seconds');
  if (!measured) return;
  const { flops } = cost;
  if (flops) {
    const work = measured.shapes.map(flops);
    const rates = work.map((amount, i) => amount / measured.values[i]!);
    const fastest = Math.max(...rates);
    const line = calibrate(measured.shapes, measured.values, (shape) => [1, flops(shape)]);
    const at = (shape: Shape) =>
      Math.max(line?.at(shape) ?? flops(shape) / median(rates), flops(shape) / fastest);
    cost.seconds = at;
    const worst = Math.max(
      ...measured.values.map((value, i) => Math.abs(at(measured.shapes[i]!) / value - 1)),
    );
    cost.notes.push(
      `hours: through the measured throughput (median ${formatCount(median(rates))}FLOP/s), at most ${percent(worst)} off`,
    );
    return;
  }
  const fit = calibrate(measured.shapes, measured.values, COST_PARTS);
  if (!fit) return;
  cost.seconds = fit.at;
  cost.notes.push(
    `hours: fitted to ${measured.values.length} measured runs, at most ${percent(fit.worst)} off`,
  );
}
