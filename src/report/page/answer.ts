/** The answer first: what was best, what to train, how sure that is, what a smaller model would lose, and what to run next. */
import { bestBy, GOOD } from '../../law/points/direction.js';
import { nearestTuned, settingWords } from '../../law/points/tuned.js';
import type { DoneRecord } from '../../sweep/store/record.js';
import { formatCount } from '../../util/format.js';
import type { GoalPath } from '../view/goal-path.js';
import { recordSlice } from '../view/label.js';
import {
  type LawView,
  type MetricChoice,
  mainPanel,
  metricLabel,
  type ReportInput,
  type TrialGroup,
} from '../view/view.js';
import { placeWords, stopWords } from '../words/goal-words.js';
import { peakIntervalWords, peakWords } from '../words/peak.js';
import {
  count,
  difference,
  list,
  lost,
  parameters,
  percent,
  shape,
  share,
  sliceWords,
} from '../words/words.js';

export interface AnswerCard {
  question: string;
  headline: string;
  words: string;
}

/** The run that a person would take: chosen on validation, so that its test metrics are honest. */
export function bestRun(records: DoneRecord[], choice: MetricChoice): DoneRecord | undefined {
  const worst = choice.direction === 'minimize' ? Infinity : -Infinity;
  const value = (record: DoneRecord) => record.result.validation[choice.history][choice.name] ?? worst;
  return records.length === 0 ? undefined : bestBy(choice.direction, records, value);
}

export function answerCards(input: ReportInput): AnswerCard[] {
  const cards: AnswerCard[] = [];
  const goal = input.path && goalCard(input.path);
  if (goal) cards.push(goal);
  const best = bestRun(input.done, input.metric);
  cards.push(
    best
      ? measured(best, input)
      : { question: 'Best measured', headline: 'Nothing yet', words: 'No trial has finished.' },
  );
  for (const group of input.groups) cards.push(...lawCards(group, input.metric));
  return cards;
}

/** What the decisions of a goal came to; the laws below are fitted to the few runs that it took. */
function goalCard({ goal, steps, stop }: GoalPath): AnswerCard | undefined {
  const last = steps.at(-1);
  if (!last) return undefined;
  const { within, regret } = last.named;
  return {
    question: stop ? 'To train, by the goal' : 'To train, by the goal, so far',
    headline: placeWords(last.named),
    words: `Within ${goal.tolerance} of the best ${goal.metric} with ${percent(within)}, expected to lose ${difference(regret)}. ${stop ? `It stopped because ${stopWords(stop, goal)}, for ${percent(last.spent)} of what the whole grid costs.` : 'The same command goes on.'}`,
  };
}

function measured(best: DoneRecord, { metric, done }: ReportInput): AnswerCard {
  const { model } = best.config;
  const cutoff = (metric.name === 'loss' ? best.config.evaluation.select : metric.name).split('@')[1];
  const test = best.result.test[metric.history];
  const popularity = best.popularity.test[metric.history];
  const shown = [...new Set([metric.name, `ndcg@${cutoff}`, `hr@${cutoff}`])].filter(
    (name) => test[name] !== undefined,
  );
  const values = list(shown.map((name) => `${metricLabel(name)} ${share(test[name]!)}`));
  const beside =
    popularity[shown[0]!] === undefined
      ? ''
      : ` Recommending by popularity has ${metricLabel(shown[0]!)} ${share(popularity[shown[0]!]!)}.`;
  return {
    question: 'Best measured',
    headline: `${shape(model)}`,
    words: `${model.name}, ${parameters(best.result.parameters.total)}, trained on ${sliceWords(best.slice.label)}: test ${values} (history ${metric.history}). Chosen among ${count(done.length, 'run')} by validation ${metricLabel(metric.name)}.${beside}`,
  };
}

function lawCards(group: TrialGroup, choice: MetricChoice): AnswerCard[] {
  const of = group.label ? ` (${group.label})` : '';
  const { law } = group;
  if (!law)
    return [
      {
        question: `What to train${of}`,
        headline: 'No law yet',
        words: group.lawMissing ?? 'No law was fitted.',
      },
    ];
  const cards: AnswerCard[] = [];
  const { budget } = law;
  const main = mainPanel(law);
  const { maximum, below } = GOOD[choice.direction];
  const name = `${choice.split} ${metricLabel(choice.name)}`;
  if (!budget) {
    cards.push({
      question: `What to train${of}`,
      headline:
        main.peak.layers.value !== undefined && main.peak.dim.value !== undefined
          ? shape({ layers: main.peak.layers.value, dim: Math.round(main.peak.dim.value) })
          : `No ${maximum}`,
      words: `${main.form}, R² ${main.r2.toFixed(3)}. ${peakWords(main.peak, choice.direction)} The parameters of other configurations are not known, so none is named.`,
    });
    return cards;
  }
  const { optimum, smallest, beyond, odds, next } = budget;
  const { predicted } = optimum;
  const from = optimum.extrapolated
    ? 'beyond the measured range, by the forecast'
    : `by ${main.form}, inside the measured range`;
  const may = beyond
    ? ` ${shape(beyond)} may be better (${share(beyond.predicted.value)}, between ${share(beyond.predicted.low)} and ${share(beyond.predicted.high)}), but lies beyond what was measured.`
    : '';
  cards.push({
    question: `What to train${of}`,
    headline: shape(optimum),
    words: `${parameters(optimum.params)}, on ${sliceWords(budget.slice)}: expected ${name} ${share(predicted.value)} ${from}.${trainedWith(group, budget.slice, optimum)}${may}${without(law)}`,
  });
  const chance = odds
    ? ` It is within ${difference(odds.tolerance)} of the best within the measured range with probability ${percent(odds.within)}, the best itself with ${percent(odds.best)}${odds.sure ? '' : ': nothing is sure enough yet'}.`
    : '';
  const method = optimum.extrapolated
    ? budget.calibrated
      ? 'by how far such forecasts missed the measured levels'
      : 'not calibrated: too few levels to try such forecasts on'
    : law.method;
  cards.push({
    question: `How sure that is${of}`,
    headline: `${share(predicted.low)} to ${share(predicted.high)}`,
    words: `where ${percent(law.level)} of single new runs of it are expected (${method}).${chance} ${peakIntervalWords(main.peak, choice.direction)}`,
  });
  const smaller = smallest && smallest.params < optimum.params ? smallest : undefined;
  const interval = `the ${percent(law.level)} interval of one run of the best (${share(predicted.low)} to ${share(predicted.high)})`;
  const loss = smaller && lost(choice.direction, predicted.value, smaller.predicted.value);
  cards.push({
    question: `A smaller model would lose${of}`,
    headline: loss === undefined ? 'More than chance' : difference(loss),
    words: smaller
      ? `${shape(smaller)} has ${formatCount(smaller.params)} parameters, ${percent(1 - smaller.params / optimum.params)} fewer; what is expected of it lies within ${interval}.`
      : `Every smaller configuration is expected ${below} ${interval}.`,
  });
  if (next && next.before !== null && next.after !== null)
    cards.push({
      question: `What to run next${of}`,
      headline: shape(next),
      words: `${next.repeat ? 'A further seed of it' : 'It'} costs ${percent(next.price)} of what to train and narrows ${beyond ? 'the difference between what to train and what may be better' : 'what is expected of it'} by ${percent(1 - next.after / next.before)}, to ±${difference(next.after)} (standard deviation).`,
    });
  return cards;
}

/** A sentence on the best of the tuned settings, at the nearest size that was tuned. */
function trainedWith({ tuning }: TrialGroup, slice: string, size: { layers: number; dim: number }): string {
  const nearest = tuning && nearestTuned(tuning, slice, size);
  return nearest ? ` Train it with ${settingWords(nearest.best)}, the best at ${shape(nearest)}.` : '';
}

/** A sentence on slices that hold more data than the one recommended on, but have no law yet. */
function without({ missing }: LawView): string {
  return missing.length === 0
    ? ''
    : ` ${count(missing.length, 'slice has', 'slices have')} no law yet: ${missing.map(({ slice, reason }) => `${slice} (${reason})`).join('; ')}.`;
}

/** One sentence on what failed or is missing; undefined when all is well. */
export function shortfall(input: ReportInput): string | undefined {
  const { done, failed, pending } = input;
  const parts: string[] = [];
  if (failed.length > 0) {
    const reasons = new Map<string, number>();
    for (const record of failed) reasons.set(record.reason, (reasons.get(record.reason) ?? 0) + 1);
    const words = [...reasons].map(([reason, n]) => `${reason.replaceAll('-', ' ')}: ${n}`).join(', ');
    const slices = [...new Set(failed.map(recordSlice))];
    parts.push(
      `${failed.length} of ${count(done.length + failed.length, 'trial')} failed (${words}; ${slices.length > 3 ? `${slices.length} slices` : list(slices)}).`,
    );
  }
  if (pending)
    parts.push(
      `${count(pending, 'trial is', 'trials are')} still to run: figures and law show what is finished.`,
    );
  return parts.length ? parts.join(' ') : undefined;
}
