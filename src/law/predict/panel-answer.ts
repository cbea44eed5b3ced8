/** One panel made ready to be asked: its law and forecast, its costs, and the configurations that fit the budget. */
import { UserError } from '../../util/errors.js';
import { formatCount } from '../../util/format.js';
import { chooseLaw } from '../choose.js';
import { type CostModel, costModel } from '../cost.js';
import { addData, type LawFit } from '../fitting/fit.js';
import { levelsOf } from '../forecast/axes.js';
import type { Observation } from '../points/observation.js';
import { type Panel, type Point, pointsOf, toPoints } from '../points/points.js';
import { makeDataOutlook, makeOutlook, type Outlook } from '../trust/outlook.js';
import { type Bootstrap, bootstrap } from '../trust/uncertainty.js';
import { type Candidate, checkBudget, enumerateCandidates, withinBudget } from './candidates.js';
import { placeOf } from './choice.js';
import type { PredictOptions } from './prediction.js';

export interface PanelAnswer {
  panel: Panel;
  boot: Bootstrap;
  outlook: Outlook;
  points: Point[];
  because: string;
  cost: CostModel;
  considered: Candidate[];
  candidates: Candidate[];
  /** Tokens of the data that it is about; undefined where they are not known. */
  tokens: number | undefined;
  place(candidate: Candidate): ReturnType<typeof placeOf>;
  otherFits: LawFit[];
  notes: string[];
}

/** Slices of different size from which another size can be predicted. */
const SIZES = 3;

/** Tokens of a slice; undefined where no observation has them. */
export function tokensOf(observations: readonly Observation[]): number | undefined {
  return observations.find(({ tokens }) => tokens !== undefined)?.tokens;
}

/**
 * @param data tokens of a slice that was not measured, and the observations of all slices with the panel's setting.
 * @param others other slices with the panel's setting.
 * @throws UserError for what cannot be fitted, counted or predicted.
 */
export async function answerPanel(
  panel: Panel,
  metric: string,
  options: PredictOptions,
  data?: { tokens: number; observations: readonly Observation[] },
  others: readonly Panel[] = [],
): Promise<PanelAnswer> {
  const forms = options.form ? [options.form] : options.forms;
  const { points, fit, comparison, because, notes } = chooseLaw(panel, { ...options, metric, forms });
  const measured = tokensOf(panel.observations);
  const cost = scaled(costModel(panel.observations, options), data && measured ? data.tokens / measured : 1);
  const considered = enumerateCandidates(panel.observations, cost);
  checkBudget(options.budget, considered);
  const candidates = withinBudget(considered, options.budget);
  const boot = await bootstrap(fit, options);
  const outlook = data
    ? dataOutlook(data, metric, options, fit.direction)
    : makeOutlook(points, boot, {
        metric,
        forms,
        ...(options.form ? {} : { comparison }),
        others: others.flatMap(({ observations }) => pointsOf(observations, metric)),
      });
  return {
    panel,
    boot,
    outlook,
    points,
    because,
    cost,
    considered,
    candidates,
    tokens: data?.tokens ?? measured,
    place: (candidate) => placeOf(candidate, panel.slice),
    otherFits: Object.values(comparison.fits).flatMap((other) => (other && other !== fit ? [other] : [])),
    notes: [...notes, ...fit.notes, ...cost.notes, ...(data ? [dataNote(data.tokens, measured)] : [])],
  };
}

function dataOutlook(
  { tokens, observations }: { tokens: number; observations: readonly Observation[] },
  metric: string,
  { level }: PredictOptions,
  direction: LawFit['direction'],
): Outlook {
  const { points } = toPoints(observations, metric);
  addData(points, observations, 'tokens');
  const sizes = levelsOf(points, 'data');
  if (sizes.length < SIZES)
    throw new UserError(
      `what other data would do cannot be predicted: slices of ${sizes.length} ${sizes.length === 1 ? 'size' : 'sizes'} were measured`,
      { place: '--tokens, --data', remedy: `Measure at least ${SIZES} slices of different size.` },
    );
  return makeDataOutlook(points, tokens, { metric, direction, level });
}

function dataNote(tokens: number, measured: number | undefined): string {
  const times = measured
    ? ` (${Number((tokens / measured).toPrecision(3))} times those of the slice named)`
    : '';
  return `predicted for ${formatCount(tokens)} tokens${times} from all slices; FLOPs and hours are taken to grow with the tokens`;
}

/** Training on so many times the tokens. */
function scaled(cost: CostModel, times: number): CostModel {
  if (times === 1) return cost;
  const { flops, seconds } = cost;
  return {
    ...cost,
    ...(flops ? { flops: (shape) => times * flops(shape) } : {}),
    ...(seconds ? { seconds: (shape) => times * seconds(shape) } : {}),
  };
}
