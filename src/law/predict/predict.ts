/**
 * `predict`: which configuration to train within a budget. Every configuration within reach, of every setting that was measured, is
 * costed and put through the law, or beyond the measured range through the forecast; all are weighed together. The answer says
 * what to train, how sure that is, what a smaller model would lose, and which further run would tell most for its price.
 */
import { isOtherQuality } from '../../data/slice.js';
import { UserError } from '../../util/errors.js';
import type { Observation } from '../points/observation.js';
import { alike, chooseMetric, type Panel, panelsOf } from '../points/points.js';
import { priceOf, report } from './answer.js';
import { answerPanel, type PanelAnswer, tokensOf } from './panel-answer.js';
import type { PredictionReport, PredictOptions } from './prediction.js';
import { weigh } from './weigh.js';

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
  return sizesOf(slices).reduce((a, b) => (tokens(b) > tokens(a) ? b : a));
}

/** Slices that are the data or a part of them; those altered or picked by their quality only where there are no others. */
function sizesOf(slices: readonly string[]): string[] {
  const plain = slices.filter((slice) => !isOtherQuality(slice));
  return plain.length > 0 ? plain : [...slices];
}

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
          alike(panel, panelsOf(observations)),
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
  const slices = sizesOf([...new Set(observations.map((one) => one.slice))]);
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
  const others = alike(panel, panelsOf(observations)).filter(({ slice }) => !isOtherQuality(slice));
  const all = [panel, ...others];
  return { tokens: tokens ?? times! * own, observations: all.flatMap((one) => one.observations) };
}
