/**
 * Whether more of a metric is better, by its name. Laws are fitted to the metric as it is; what is best, where a law has its
 * optimum and which sign a weight takes all follow this one answer.
 */
import { UserError } from '../../util/errors.js';

/** Which way a metric is better. */
export type Direction = 'maximize' | 'minimize';

/** Ranking metrics and other shares of cases that came out right. */
const SHARES =
  /(^|[:_/. ])(hr|hit|hits|hitrate|hit_rate|hitratio|hit_ratio|ndcg|mrr|recall|map|precision|auc)(@|_|\d|$)/i;

/** Words, and beginnings or ends of words, of what should be small. */
const LOWER =
  /^(n?loss|nll|c?ce|bce|xent|bp[bcdw]|ppl|rmse|r?msle|mse|n?mae|mape|smape|err|wer|cer|eer|ece|fid|brier|regret|deviance|kld?)$|(loss|error|perplexity|crossentropy|xentropy|errors)$|^(loss|perplexity|error)/;
const LOWER_PHRASES =
  /cross entropy|bits per (byte|char|character|dim|token|word)|(mean|average|avg) rank|log likelihood/;
/** `neg_mean_squared_error` and its like have been turned round already. */
const TURNED = /^(.* )?neg (?!log)/;

/** A name as small words: `c4_en-validation_CrossEntropyLoss` is `c4 en validation cross entropy loss`. */
function words(metric: string): string {
  return metric
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

/** Whether the metric is a hit ratio, an NDCG or another share, by its name: it lies between 0 and 1, or 0 and 100. */
export function isShare(metric: string): boolean {
  return SHARES.test(metric) && !isLower(metric);
}

function isLower(metric: string): boolean {
  const text = words(metric);
  if (TURNED.test(text)) return false;
  if (LOWER_PHRASES.test(text)) return /log likelihood/.test(text) ? /\bneg(ative)? log/.test(text) : true;
  return text.split(' ').some((word) => LOWER.test(word));
}

/** What a metric's name says of its direction; undefined where it says nothing. */
export function namedDirection(metric: string): Direction | undefined {
  if (isLower(metric)) return 'minimize';
  return isShare(metric) ? 'maximize' : undefined;
}

/** The direction of a metric: the one asked for, else what its name says, else larger is taken to be better. */
export function directionOf(metric: string, asked?: Direction): Direction {
  return asked ?? namedDirection(metric) ?? 'maximize';
}

/** Whether `a` is better than `b`. */
export function isBetter(direction: Direction, a: number, b: number): boolean {
  return direction === 'maximize' ? a > b : a < b;
}

/** The best of a list, the first of equals. */
export function bestBy<T>(direction: Direction, list: readonly T[], value: (one: T) => number): T {
  return list.reduce((a, b) => (isBetter(direction, value(b), value(a)) ? b : a));
}

/** How sentences speak of a metric that should be large, and of one that should be small. */
export const GOOD: Record<
  Direction,
  { highest: string; maximum: string; rises: string; below: string; higher: string }
> = {
  maximize: { highest: 'highest', maximum: 'maximum', rises: 'rises', below: 'below', higher: 'higher' },
  minimize: { highest: 'lowest', maximum: 'minimum', rises: 'falls', below: 'above', higher: 'lower' },
};

/** `lower is better`, `larger is better`. */
export function directionWords(direction: Direction): string {
  return direction === 'minimize' ? 'lower is better' : 'larger is better';
}

/** The metric in a headline: its direction stands beside it where the name does not tell that larger is better. */
export function metricWords(metric: string, direction: Direction): string {
  return direction === 'maximize' && isShare(metric) ? metric : `${metric} (${directionWords(direction)})`;
}

/** What is to be said where neither the name nor an option tells; undefined where one does. */
export function directionNote(metric: string, asked?: Direction): string | undefined {
  if (asked !== undefined || namedDirection(metric) !== undefined) return undefined;
  return `larger ${metric} is taken to be better; give --minimize where lower is`;
}

/**
 * The direction that options ask for.
 * @throws UserError where they ask for both.
 */
export function askedDirection(minimize: unknown, maximize: unknown): Direction | undefined {
  if (minimize === true && maximize === true)
    throw new UserError('a metric is either minimized or maximized', {
      place: '--minimize --maximize',
      remedy: 'Give one of the two.',
    });
  return minimize === true ? 'minimize' : maximize === true ? 'maximize' : undefined;
}
