/** The answer first: what was best, what the law recommends, how sure that is, and what a smaller model would lose. */
import { bestBy, GOOD } from '../../law/points/direction.js';
import type { DoneRecord } from '../../sweep/store/record.js';
import { formatCount } from '../../util/format.js';
import { recordSlice } from '../view/label.js';
import {
  type LawView,
  type MetricChoice,
  mainPanel,
  metricLabel,
  type ReportInput,
  type TrialGroup,
} from '../view/view.js';
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
  const best = bestRun(input.done, input.metric);
  cards.push(
    best
      ? measured(best, input)
      : { question: 'Best measured', headline: 'Nothing yet', words: 'No trial has finished.' },
  );
  for (const group of input.groups) cards.push(...lawCards(group, input.metric));
  return cards;
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
        question: `The law recommends${of}`,
        headline: 'No law yet',
        words: group.lawMissing ?? 'No law was fitted.',
      },
    ];
  const cards: AnswerCard[] = [];
  const { budget } = law;
  const main = mainPanel(law);
  const { maximum, rises, below } = GOOD[choice.direction];
  const name = `${choice.split} ${metricLabel(choice.name)}`;
  if (!budget) {
    cards.push({
      question: `The law recommends${of}`,
      headline:
        main.peak.layers.value !== undefined && main.peak.dim.value !== undefined
          ? shape({ layers: main.peak.layers.value, dim: Math.round(main.peak.dim.value) })
          : `No ${maximum}`,
      words: `${main.form}, R² ${main.r2.toFixed(3)}. ${peakWords(main.peak, choice.direction)} The parameters of other configurations are not known, so none is named.`,
    });
    return cards;
  }
  const { optimum, smallest, beyond } = budget;
  const { predicted } = optimum;
  const rise = beyond
    ? ` The law ${rises} on beyond the measured range, to ${share(beyond.predicted.value)} at ${shape(beyond)}: measure there before you trust it.`
    : '';
  cards.push({
    question: `The law recommends${of}`,
    headline: shape(optimum),
    words: `${parameters(optimum.params)}, trained on ${sliceWords(budget.slice)}: expected ${name} ${share(predicted.value)} by ${main.form}, the best inside the measured range.${rise}${without(law)}`,
  });
  cards.push({
    question: `How sure that is${of}`,
    headline: `${share(predicted.low)} to ${share(predicted.high)}`,
    words: `where ${percent(law.level)} of single new runs of it are expected (${law.method}). ${peakIntervalWords(main.peak, choice.direction)}`,
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
  return cards;
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
