import { UserError } from '../../util/errors.js';
import type { Shape } from '../calibrate.js';
import type { LawFit } from '../fitting/fit.js';
import { optimum } from '../fitting/optimum.js';
import { CALIBRATED_FROM } from '../forecast/spread.js';
import { bestBy } from '../points/direction.js';
import type { Observation } from '../points/observation.js';
import { alike, type Panel, panelsOf } from '../points/points.js';
import { optimumIntervals } from '../trust/uncertainty.js';
import { budgetLine, budgetWords, type Candidate, candidateOf, PROPOSED } from './candidates.js';
import { type Choice, choice, insideRange, placeOf, rangeOf } from './choice.js';
import { type NextTrial, nextTrial, openingTrial } from './next-trial.js';
import { type PanelAnswer, tokensOf } from './panel-answer.js';
import type { OtherForm, PredictionReport, PredictOptions } from './prediction.js';
import { frontier, type Option, smallestAsGood, type Weighed } from './weigh.js';

/** Options of `decision` that are given in full. */
const SHOWN = 8;

/** FLOPs where all know them, else parameters. */
export function priceOf(answers: readonly PanelAnswer[]): (candidate: Candidate) => number {
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

export interface Circumstances {
  metric: string;
  slice: string;
  observations: readonly Observation[];
  options: PredictOptions;
  refused: { group: Panel['group']; reason: string }[];
}

export function report(
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
  const own = weighed.open.filter(({ of }) => of === chosen.of);
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
  // while nothing is sure, what is named is expected to be as good as the highest: their difference is not what is asked
  const isRival = weighed.sure && highest !== chosen && highest.of === chosen.of;
  const rival = isRival ? highest.candidate : undefined;
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
    asked: (options.at ?? []).map((shape) => dress(askedOption(answer, chosen.of, shape))),
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
      elsewhere: {
        layers: outlook.forecaster.triedElsewhere[0]!,
        dim: outlook.forecaster.triedElsewhere[1]!,
      },
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
        elsewhere: elsewhere(answer, alike(answer.panel, panelsOf(observations))),
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

/** @throws UserError where its parameters cannot be counted. */
function askedOption({ cost, outlook, place }: PanelAnswer, of: number, shape: Shape): Option {
  const candidate = candidateOf(shape, cost);
  if (!candidate)
    throw new UserError(`the parameters of layers ${shape.layers}, dim ${shape.dim} cannot be counted`, {
      place: '--at',
      remedy: 'Give --items N, or name a configuration that the table holds.',
    });
  const at = place(candidate);
  return { candidate, of, ...outlook.glance(at), expected: () => outlook.expect(at) };
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

/** Axes with several values of which none could be predicted from the others. */
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

/** Where budget is left beyond an axis of two values: the run that lets it be predicted. */
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
  const { tried, triedElsewhere, axes } = answer.outlook.forecaster;
  if (!hasLine)
    notes.push(
      `the budget exceeds all that is proposed: ${PROPOSED.layers} times the most layers and ${PROPOSED.dim} times the largest dim that were measured; measure larger ones first, or ask for one with --at`,
    );
  if (best.beyond.layers > 1)
    notes.push(
      'the interval is of a run that trains; a deeper model may need a lower rate to start: if its loss stays near that of popularity for two epochs, halve the rate',
    );
  for (const axis of closedAxes(answer))
    notes.push(
      `${axis} has too few values to predict one from the others: nothing beyond the measured range of ${axis} is proposed${best.beyond[axis] > 1 ? ' but what other slices tell' : ''}`,
    );
  if (best.extrapolates && !best.calibrated)
    notes.push(
      `the interval is not calibrated: ${tried.map((count, i) => `${count} ${count === 1 ? 'level' : 'levels'} of ${axes[i]}${triedElsewhere[i]! > 0 ? ` (${triedElsewhere[i]} on other slices, which count half)` : ''}`).join(' and ')} could be predicted from lower ones, and it takes ${CALIBRATED_FROM}`,
    );
  return notes;
}
