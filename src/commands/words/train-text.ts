/** The words of `perflaw train`: a line an epoch, and what came out. */
import type { TrialConfig } from '../../train/config.js';
import type { EpochRecord, RankingMetrics, TrainingResult } from '../../train/result.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import { formatTable } from '../../util/table.js';
import { print } from '../options/command.js';

export function epochLine(
  { epoch, loss, seconds, tokensPerSecond, validation }: EpochRecord,
  config: TrialConfig,
): string {
  const select = config.evaluation.select;
  const values = validation
    ? `  validation ${select} ${format(validation.masked[select])} masked, ${format(validation.unmasked[select])} unmasked`
    : '';
  return `epoch ${epoch}/${config.training.epochs}  loss ${loss.toFixed(4)}${values}  ${formatDuration(seconds)}, ${formatCount(tokensPerSecond)} tokens/s`;
}

/** `0.1023 ± 0.0045`: the second is the standard error over users. */
function withError(text: string, error: number | undefined): string {
  return error === undefined ? text : `${text} ± ${error.toFixed(4)}`;
}

function format(value: number | undefined): string {
  return value === undefined ? '-' : value.toFixed(4);
}

export function printResult(
  config: TrialConfig,
  result: TrainingResult,
  popularity: { validation: RankingMetrics; test: RankingMetrics },
): void {
  const { parameters, bestEpoch, tokensPerSecond, seconds, peakMemoryBytes } = result;
  print(
    `\n${config.model.name}, ${formatCount(parameters.total)} parameters, best epoch ${bestEpoch} (on validation)`,
  );
  const names = Object.keys(result.test.masked);
  const row = (
    label: string,
    values: RankingMetrics,
    mode: 'masked' | 'unmasked',
    errors?: RankingMetrics,
  ) => [label, mode, ...names.map((name) => withError(format(values[mode][name]), errors?.[mode][name]))];
  const rows = (['masked', 'unmasked'] as const).flatMap((mode) => [
    row('validation', result.validation, mode, result.standardErrors?.validation),
    row('test', result.test, mode, result.standardErrors?.test),
    row('popularity, test', popularity.test, mode),
  ]);
  const aside = names.filter((name) => name !== config.evaluation.select);
  const [mrr, rest] = [
    aside.filter((name) => name.startsWith('mrr')),
    aside.filter((name) => !name.startsWith('mrr')),
  ];
  print(formatTable(['', 'history', ...names], rows, { spare: [...mrr, ...rest.reverse()] }));
  print(
    `\n${formatCount(tokensPerSecond)} tokens/s, ${formatDuration(seconds.training)} of training, ${formatDuration(seconds.evaluation)} of evaluation, peak memory ${formatBytes(peakMemoryBytes)}`,
  );
}
