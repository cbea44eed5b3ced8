/** The words and tables of `perflaw fit`. */
import type { Coefficient, PanelAnalysis } from '../../law/analyse.js';
import type { Place } from '../../law/fitting/optimum.js';
import type { JointAnalysis } from '../../law/joint.js';
import { type Direction, GOOD, metricWords } from '../../law/points/direction.js';
import type { QualityTest } from '../../law/quality-test.js';
import type { LevelsExplained, SliceMeans } from '../../law/slice-levels.js';
import type { FormScore } from '../../law/trust/compare.js';
import type { Interval } from '../../law/trust/uncertainty.js';
import type { RunNoise } from '../../sweep/results/run-noise.js';
import { formatCount } from '../../util/format.js';
import { formatTable } from '../../util/table.js';

/** Four significant digits; a missing value is a dash. */
export function digits(value: number | null | undefined, count = 4): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return '-';
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-4)) return value.toExponential(2);
  return String(Number(value.toPrecision(count)));
}

const fixed = (value: number | null | undefined, places: number) => {
  if (value === null || value === undefined || !Number.isFinite(value)) return '-';
  return Math.abs(value) < 1000 ? value.toFixed(places) : value.toExponential(1);
};

export function intervalText(interval: Interval | null | undefined, show = digits): string {
  if (!interval) return '-';
  const [low, high] = interval;
  if (low === null && high === null) return 'no bound';
  if (low === null) return `up to ${show(high)}`;
  if (high === null) return `from ${show(low)}`;
  return `${show(low)} to ${show(high)}`;
}

const percent = (level: number) => `${Number((100 * level).toPrecision(3))} %`;

function scoresTable(scores: readonly FormScore[], chosen: string): string {
  return formatTable(
    ['', 'form', 'numbers', 'R2', 'Q2', 'AICc', 'RMSE', 'held-out', 'rolling'],
    scores.map((score) => [
      score.form === chosen ? '*' : '',
      score.form,
      digits(score.size),
      fixed(score.r2, 4),
      fixed(score.q2, 4),
      fixed(score.aicc, 1),
      digits(score.rmse, 3),
      digits(score.heldOut?.rmse, 3),
      digits(score.rolling?.rmse, 3),
    ]),
    { spare: ['numbers', 'AICc', 'Q2', 'rolling'] },
  );
}

function coefficientLine(name: string, coefficient: Coefficient): string[] {
  if (coefficient.identifiable)
    return [name, digits(coefficient.value), intervalText(coefficient.interval), ''];
  const allowed = coefficient.allowed ? `; allowed: ${intervalText(coefficient.allowed)}` : '';
  return [name, 'not identifiable', '', `${coefficient.reason}${allowed}`];
}

/** Why an axis has no optimum. */
function axisWords(place: Place, direction: Direction): string {
  if (place === 'not fitted') return 'not fitted: one value only';
  return place === GOOD[direction].rises
    ? `none within reach: the law ${place} as far as was measured`
    : `none within reach: the law ${place}, the smallest is best`;
}

function optimumLines(panel: PanelAnalysis): string[] {
  const lines: string[] = [];
  for (const [name, axis] of Object.entries(panel.optimum.axes)) {
    const interval = panel.optimum.intervals[name as 'layers'];
    if (axis.value === null) {
      const seen =
        interval && interval.exists > 0.05
          ? ` (an optimum in ${percent(interval.exists)} of replicates)`
          : '';
      lines.push(`  ${name.padEnd(6)} ${axisWords(axis.place, panel.direction)}${seen}`);
      continue;
    }
    const where = axis.place === 'outside' ? `${digits(axis.beyond, 2)} times beyond what was measured` : '';
    const seen =
      interval && interval.exists < 0.95 ? `an optimum in ${percent(interval.exists)} of replicates` : '';
    const details = [
      ...(interval ? [intervalText(interval.interval, (v) => digits(v, 3))] : []),
      ...(where ? [where] : []),
      ...(seen ? [seen] : []),
    ].join(', ');
    lines.push(`  ${name.padEnd(6)} ${digits(axis.value, 3)}${details ? ` (${details})` : ''}`);
  }
  if (panel.optimum.predicted !== null)
    lines.push(`  ${panel.metric} there: ${digits(panel.optimum.predicted)}`);
  return lines;
}

/** One slice: forms side by side, then the chosen one. */
export function panelText(panel: PanelAnalysis, level: number, noise?: RunNoise): string {
  const range = (key: 'layers' | 'dim') => [...new Set(panel.range[key])].join(' to ');
  const lines = [
    `${panel.label}: ${metricWords(panel.metric, panel.direction)}, ${panel.configurations} configurations, ${panel.runs} runs; layers ${range('layers')}, dim ${range('dim')}`,
    '',
    scoresTable(panel.scores, panel.form),
  ];
  const held = panel.scores.find((score) => score.heldOut)?.heldOut;
  if (held)
    lines.push(
      `held-out: RMSE on ${held.what} (${held.tested} ${held.tested === 1 ? 'configuration' : 'configurations'}), fitted to the other ${held.trained}; rolling: fitted to the small, the next larger predicted`,
    );
  for (const score of panel.scores)
    if (score.reason && score.size === null) lines.push(`${score.form}: ${score.reason}`);
  lines.push(
    '',
    `${panel.form}: ${panel.because}`,
    `  ${panel.equation}`,
    '',
    formatTable(
      ['coefficient', 'value', `${percent(level)} interval`, ''],
      Object.entries(panel.coefficients).map(([name, coefficient]) => coefficientLine(name, coefficient)),
    ),
    '',
    'optimum of the law:',
    ...optimumLines(panel),
    `noise of one run: ${digits(panel.sigma, 3)}; condition number ${digits(panel.conditionNumber, 2)}`,
  );
  if (noise) lines.push(...noiseLines(noise));
  for (const text of panel.notes) lines.push(`note: ${text}`);
  return lines.join('\n');
}

/** One verdict, and the test of each measure. */
function qualityLines({ exponent, r2, measures, slices }: QualityTest): string[] {
  const adding = measures.filter(({ adds }) => adds).map(({ measure }) => measure);
  const verdict = adding.length > 0 ? `yes: ${adding.join(', ')}` : 'not that these slices could tell';
  return [
    `does quality add to quantity? ${verdict}`,
    `  beside the best curve of tokens alone (tokens^${digits(exponent, 2)}, R2 ${fixed(r2, 3)}), F(1, ${slices - 4})${measures.length > 1 ? ', p adjusted for the number of measures' : ''}:`,
    ...measures.map(
      ({ measure, f, adjusted, r2: both, level }) =>
        `  ${measure}: F ${digits(f, 3)}, p ${digits(adjusted, 2)}, R2 with it ${fixed(both, 3)}; the level ${level} as it grows`,
    ),
  ];
}

/** What users and seeds bring to one run. */
function noiseLines({ standardError, split, reason }: RunNoise): string[] {
  const lines = [
    `standard error of a run over its users: ${digits(standardError, 2)}${reason ? ` (seeds: ${reason})` : ''}`,
  ];
  if (!split) return lines;
  const { configurations, runs, users, seed, seedByUser, betweenSeeds, user } = split;
  lines.push(
    `of ${runs} runs of ${configurations} configurations with several seeds, ${users} users each (standard deviations):`,
    `  seeds ${digits(betweenSeeds, 2)} between runs on the same users: ${digits(seed, 2)} would stay with users without end, ${digits(seedByUser, 2)} is which of these users a seed serves`,
    `  users ${digits(user, 2)} more with other users: the same for every run here, so it moves the law and no difference within it`,
  );
  return lines;
}

/** Straight lines of the slices' levels on their data, and whether quality adds to quantity. */
function explainedLines({ measures, quality }: Omit<LevelsExplained, 'names'>): string[] {
  const lines: string[] = [];
  if (measures.length > 0)
    lines.push(
      '',
      'level of the slices against the data, straight lines:',
      formatTable(
        ['axes', 'data', 'R2', 'Q2'],
        measures.map(({ axes, measure, r2, q2 }) => [
          axes,
          measure === 'tokens' ? measure : `tokens/${measure}`,
          fixed(r2, 3),
          fixed(q2, 3),
        ]),
      ),
    );
  if (quality && quality.measures.length > 0) lines.push('', ...qualityLines(quality));
  return lines;
}

/** Slices that were trained with too few sizes for a law. */
export function sliceMeansText(
  { configurations, group, levels, ...explained }: SliceMeans,
  metric: string,
): string {
  const sizes = configurations.map(({ layers, dim }) => `layers ${layers} dim ${dim}`).join(', ');
  const settings = Object.entries(group).map(([key, value]) => `${key} ${value}`);
  return [
    `${[...settings, `${levels.length} slices`].join(', ')} at ${sizes}: ${metric}`,
    '',
    formatTable(
      ['slice', 'tokens', 'mean', 'runs'],
      levels.map(({ slice, tokens, level, runs }) => [
        slice,
        formatCount(tokens),
        digits(level),
        String(runs),
      ]),
    ),
    ...explainedLines(explained),
  ].join('\n');
}

/** Several slices together. */
export function jointText(joint: JointAnalysis, metric: string): string {
  const lines = [
    `All slices together: ${joint.form} with shared terms of layers and dim, R2 ${fixed(joint.r2, 4)}, RMSE ${digits(joint.rmse, 3)}`,
    '',
    formatTable(
      [
        'slice',
        'tokens',
        `${metric} at layers ${digits(joint.at.layers, 2)}, dim ${digits(joint.at.dim, 2)}`,
      ],
      joint.levels.map(({ slice, tokens, level }) => [
        slice,
        tokens === null ? '-' : formatCount(tokens),
        digits(level),
      ]),
    ),
  ];
  if (joint.dataTerms.length > 0)
    lines.push(
      '',
      formatTable(
        ['data term', 'numbers', 'R2', 'RMSE', 'RMSE, slice left out'],
        joint.dataTerms.map(({ data, size, r2, rmse, leftOutRmse }) => [
          data,
          String(size),
          fixed(r2, 4),
          digits(rmse, 3),
          digits(leftOutRmse, 3),
        ]),
      ),
    );
  lines.push(...explainedLines(joint));
  for (const text of joint.notes) lines.push(`note: ${text}`);
  return lines.join('\n');
}
