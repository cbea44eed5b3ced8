/**
 * `predict`: which configuration to train within a budget. Every configuration within reach, of every setting that was measured, is
 * costed and put through the law, or beyond the measured range through the forecast; all are weighed together. The answer says
 * what to train, how sure that is, what a smaller model would lose, and which further run would tell most for its price.
 */
import { UserError } from '../util/errors.js';
import { budgetLine, budgetWords, type Candidate, REACH } from './candidates.js';
import { type Choice, choice, insideRange, placeOf, rangeOf } from './choice.js';
import type { LawFit } from './fitting/fit.js';
import { optimum } from './fitting/optimum.js';
import { CALIBRATED_FROM } from './forecast/forecast.js';
import { type NextTrial, nextTrial, openingTrial } from './next-trial.js';
import { answerPanel, type PanelAnswer, tokensOf } from './panel-answer.js';
import { bestBy } from './points/direction.js';
import type { Observation } from './points/observation.js';
import { chooseMetric, type Panel, panelsOf } from './points/points.js';
import type { OtherForm, PredictionReport, PredictOptions } from './prediction.js';
import { optimumIntervals } from './trust/uncertainty.js';
import { frontier, type Option, smallestAsGood, type Weighed, weigh } from './weigh.js';

/** The slice to predict for. */
function chooseSlice(observations: readonly Observation[], asked?: string): string {
  const slices = [...new Set(observations.map((observation) => observation.slice))];
  if (asked !== undefined) {
    if (slices.includes(asked)) return asked;
    throw new UserError(`slice "${asked}" was never measured`, {
      place: '--slice',
      remedy: `Measured slices: ${slices.join('; ')}.`,
    });
  }
  const tokens = (slice: string) =>
    Math.max(0, ...observations.filter((one) => one.slice === slice).map((one) => one.tokens ?? 0));
  return slices.reduce((a, b) => (tokens(b) > tokens(a) ? b : a));
}

/** Options of `decision` that are given in full. */
const SHOWN = 8;

/**
 * What to train within a budget.
 * @throws UserError when nothing fits the budget, when the slice was never measured, when parameters cannot be counted, and
 *   for everything that fitLaw refuses.
 */
export async function predict(
  observations: readonly Observation[],
  options: PredictOptions,
): Promise<PredictionReport> {
  if (observations.length === 0)
    throw new UserError('there are no results to predict from', { remedy: 'Run a sweep, or name a table.' });
  const metric = chooseMetric(observations, options.metric);
  const slice = chooseSlice(observations, options.slice);
  const answers: PanelAnswer[] = [];
  const refused: { group: Panel['group']; reason: string }[] = [];
  let refusal: unknown;
  const shares = sharesOf(observations, options);
  const panels = panelsOf(observations.filter((one) => shares.includes(one.slice) || one.slice === slice));
  for (const panel of panels)
    try {
      answers.push(
        await answerPanel(
          panel,
          metric,
          options,
          dataOf(panel, observations, options),
          alike(panel, observations),
        ),
      );
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      // what is asked is asked of this slice; the others only may be better
      if (panel.slice !== slice) continue;
      refusal ??= error;
      refused.push({ group: panel.group, reason: error.message });
    }
  if (answers.length === 0) throw refusal;
  const { direction } = answers[0]!.boot.fit;
  const weighed = weigh(answers, {
    direction,
    tolerance: options.tolerance,
    seed: options.seed,
    cost: priceOf(answers),
  });
  return report(answers, weighed, { metric, slice, observations, options, refused });
}

/**
 * Slices that a budget of FLOPs or hours may be spent on, where all that differ are sizes of one data set: their tokens are known
 * and all different. None where one slice, or other data, was asked for.
 */
function sharesOf(
  observations: readonly Observation[],
  { budget, slice, tokens, times }: PredictOptions,
): string[] {
  if (slice !== undefined || tokens !== undefined || times !== undefined) return [];
  if (budget.flops === undefined && budget.hours === undefined) return [];
  const slices = [...new Set(observations.map((one) => one.slice))];
  const sizes = slices.map((name) => tokensOf(observations.filter((one) => one.slice === name)));
  const areSizes = sizes.every((size) => size !== undefined) && new Set(sizes).size === slices.length;
  return areSizes ? slices : [];
}

/** The data that is asked for, where it is not that of the panel. */
function dataOf(
  panel: Panel,
  observations: readonly Observation[],
  { tokens, times }: PredictOptions,
): { tokens: number; observations: Observation[] } | undefined {
  if (tokens === undefined && times === undefined) return undefined;
  const own = tokensOf(panel.observations);
  if (own === undefined)
    throw new UserError('the tokens of the slices are not known', {
      place: '--tokens, --data',
      remedy: 'Add a column tokens.',
    });
  const all = [panel, ...alike(panel, observations)];
  return { tokens: tokens ?? times! * own, observations: all.flatMap((one) => one.observations) };
}

/** Other slices with the same setting. */
function alike(panel: Panel, observations: readonly Observation[]): Panel[] {
  const key = JSON.stringify(panel.group);
  return panelsOf(observations).filter(
    ({ group, slice }) => slice !== panel.slice && JSON.stringify(group) === key,
  );
}

/** FLOPs where all know them, else parameters. */
function priceOf(answers: readonly PanelAnswer[]): (candidate: Candidate) => number {
  return answers.every(({ cost }) => cost.flops) ? ({ flops }) => flops! : ({ params }) => params;
}

function otherForm(fit: LawFit, best: Choice, among: readonly Candidate[], slice: string): OtherForm {
  const [least, most] = fit.range;
  const value = (candidate: Candidate) =>
    Math.min(most, Math.max(least, fit.predict(placeOf(candidate, slice))));
  const own = bestBy(fit.direction, among, value);
  const { layers, dim, params } = own;
  return {
    form: fit.form,
    predicted: value(best),
    best: { layers, dim, params, predicted: value(own) },
  };
}

interface Circumstances {
  metric: string;
  slice: string;
  observations: readonly Observation[];
  options: PredictOptions;
  refused: { group: Panel['group']; reason: string }[];
}

function report(
  answers: readonly PanelAnswer[],
  weighed: Weighed,
  { metric, slice, observations, options, refused }: Circumstances,
): PredictionReport {
  const { chosen, highest, tolerance } = weighed;
  const answer = answers[chosen.of]!;
  const { boot, outlook, points, cost, candidates, place } = answer;
  const { fit } = boot;
  const { direction } = fit;
  const most = Math.max(...answers.map(({ tokens }) => tokens ?? 0));
  const isOtherData = options.tokens !== undefined || options.times !== undefined;
  const dress = ({ candidate, of, expected }: Option): Choice => {
    const { panel, points: own, tokens } = answers[of]!;
    const share = tokens === undefined ? undefined : tokens / most;
    const found = choice(candidate, panel, own, expected(), share);
    return isOtherData ? { ...found, measured: null } : found;
  };
  const value = (option: Option) => option.value;
  const bestOf = (list: readonly Option[]) =>
    list.length > 0 ? dress(bestBy(direction, list, value)) : null;
  const own = weighed.options.filter(({ of }) => of === chosen.of);
  const isInside = insideRange(points);
  const inside = own.filter(({ candidate }) => isInside(candidate));
  const best = dress(chosen);
  const beyond = chosen.expected().forecast;
  const onLine = new Set(budgetLine(answer.considered, options.budget));
  const line = own.filter(({ candidate }) => onLine.has(candidate));
  const price = priceOf(answers);
  const peak = optimum(fit);
  const peakShape =
    peak.layers !== null && peak.dim !== null
      ? cost.params({ layers: Math.round(peak.layers), dim: Math.round(peak.dim) })
      : undefined;
  const rival = highest !== chosen && highest.of === chosen.of ? highest.candidate : undefined;
  const [triedLayers, triedDim, triedData] = outlook.forecaster.tried as [number, number, number?];
  return {
    slice: answer.panel.slice,
    tokens: answer.tokens ?? null,
    otherSlices: [...new Set(observations.map((one) => one.slice))].filter(
      (name) => name !== answer.panel.slice,
    ),
    metric,
    direction,
    level: boot.level,
    form: fit.form,
    because: answer.because,
    budget: options.budget,
    budgetText: budgetWords(options.budget),
    considered: answers.reduce((sum, one) => sum + one.considered.length, 0),
    fitting: answers.reduce((sum, one) => sum + one.candidates.length, 0),
    range: rangeOf(points),
    best,
    highest: dress(highest),
    bestMeasuredRange: bestOf(inside),
    budgetLine: bestOf(line),
    smallest: dress(smallestAsGood(chosen, best.extrapolates ? own : inside, direction)),
    otherForms: answer.otherFits.map((other) =>
      otherForm(
        other,
        best,
        best.extrapolates ? candidates : inside.map(({ candidate }) => candidate),
        slice,
      ),
    ),
    optimum: {
      ...peak,
      intervals: boot.draws.length > 0 ? optimumIntervals(boot) : {},
      params: peakShape?.total ?? null,
    },
    decision: {
      tolerance,
      sure: weighed.sure,
      options: weighed.options
        .filter(({ odds }) => odds !== undefined)
        .sort((a, b) => b.odds!.best - a.odds!.best || a.odds!.regret - b.odds!.regret)
        .filter((option, i) => i < SHOWN || option === chosen)
        .map((option) => {
          const { best: first, within, regret } = option.odds!;
          return { ...dress(option), best: first, within, regret };
        }),
    },
    frontier: everySo(frontier(weighed.open, direction, price)).map(dress),
    forecast: {
      tried: { layers: triedLayers, dim: triedDim, ...(triedData === undefined ? {} : { data: triedData }) },
      calibrated: best.calibrated,
      weights: beyond ? shownWeights(beyond.weights) : null,
    },
    next:
      opening(answer, chosen.candidate, price) ??
      nextTrial(outlook, candidates, place, {
        target: chosen.candidate,
        rival,
        largest: { layers: rangeOf(points).layers[1], dim: rangeOf(points).dim[1] },
        noise: boot.draws.length > 0 ? boot.sigma : outlook.forecaster.noise,
        cost: price,
        slice: answer.panel.slice,
        elsewhere: elsewhere(answer, alike(answer.panel, observations)),
        isMeasured: ({ layers, dim }) => points.some(({ x }) => x.layers === layers && x.dim === dim),
        seed: options.seed,
      }),
    groups: groupsOf(answers, weighed, refused, dress),
    parametersExact: cost.exact,
    notes: [
      ...answer.notes,
      ...(new Set(answers.map(({ panel: { slice: name } }) => name)).size > 1
        ? [
            'the slices are taken as more and less of the same data, on which the budget may be spent; --slice keeps to one',
          ]
        : []),
      ...remarks(answer, best, line.length > 0),
    ],
  };
}

/** Some forty of a long list, the last among them. */
function everySo<T>(list: readonly T[]): T[] {
  const step = Math.ceil(list.length / 40);
  return list.filter((_, i) => (list.length - 1 - i) % step === 0);
}

/** Those that count, largest first. */
function shownWeights(weights: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries(
    [...weights].filter(([, weight]) => weight >= 0.005).sort(([, a], [, b]) => b - a),
  );
}

/** The best expected of each further setting that the sweep varied. */
function groupsOf(
  answers: readonly PanelAnswer[],
  weighed: Weighed,
  refused: Circumstances['refused'],
  dress: (option: Option) => Choice,
): PredictionReport['groups'] {
  if (answers.length + refused.length < 2) return [];
  const { direction } = answers[0]!.boot.fit;
  return [
    ...answers.map(({ panel }, of) => {
      const own = weighed.options.filter((option) => option.of === of);
      const known = own.filter(({ odds }) => odds !== undefined);
      const among = known.length > 0 ? known : own;
      return { group: panel.group, best: dress(bestBy(direction, among, ({ value }) => value)) };
    }),
    ...refused.map(({ group, reason }) => ({ group, best: null, reason })),
  ];
}

/** Axes with several values of which none could be foretold from the others. */
function closedAxes({ points, outlook }: PanelAnswer): ('layers' | 'dim')[] {
  const { tried } = outlook.forecaster;
  return (['layers', 'dim'] as const).filter(
    (axis, i) => tried[i] === 0 && new Set(points.map(({ x }) => x[axis])).size > 1,
  );
}

/** Smaller slices, and what share of the cost a run takes there. */
function elsewhere(
  { panel, tokens }: PanelAnswer,
  others: readonly Panel[],
): { slice: string; share: number }[] {
  return others.flatMap(({ slice, observations }) => {
    const own = tokensOf(observations);
    return own !== undefined && tokens !== undefined && own < tokens && slice !== panel.slice
      ? [{ slice, share: own / tokens }]
      : [];
  });
}

/** Where budget is left beyond an axis of two values: the run that lets it be foretold. */
function opening(
  answer: PanelAnswer,
  target: Candidate,
  price: (one: Candidate) => number,
): NextTrial | null {
  for (const axis of closedAxes(answer).reverse()) {
    const values = [...new Set(answer.points.map(({ x }) => x[axis]!))].sort((a, b) => a - b);
    const found = openingTrial(axis, values, target, answer.candidates, price, answer.panel.slice);
    if (found) return found;
  }
  return null;
}

function remarks(answer: PanelAnswer, best: Choice, hasLine: boolean): string[] {
  const notes: string[] = [];
  const { fit } = answer.boot;
  const law = fit.predict(answer.place(best));
  if (law < fit.range[0] || law > fit.range[1])
    notes.push(
      `at the best the law itself says ${law.toPrecision(4)}, which ${fit.metric} cannot be: it does not hold there`,
    );
  const { tried } = answer.outlook.forecaster;
  if (!hasLine)
    notes.push(`the budget exceeds every configuration within ${REACH} times of what was measured`);
  for (const axis of closedAxes(answer))
    notes.push(
      `${axis} has too few values to foretell one from the others: nothing beyond the measured range of ${axis} is proposed`,
    );
  if (best.extrapolates && !best.calibrated)
    notes.push(
      `the interval is not calibrated: ${tried.map((count, i) => `${count} ${count === 1 ? 'level' : 'levels'} of ${['layers', 'dim'][i]}`).join(' and ')} could be foretold from lower ones, and it takes ${CALIBRATED_FROM}`,
    );
  return notes;
}
