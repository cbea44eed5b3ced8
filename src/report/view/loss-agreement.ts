/** Whether the loss and the metric that people care for agree on which size is best, among what was measured. */
import { sampleRankCorrelation } from 'simple-statistics';
import { bestBy } from '../../law/points/direction.js';
import { type DoneRecord, isHalved } from '../../sweep/store/record.js';
import { type LossAgreement, type MetricChoice, metricOf, type SizeValue } from './view.js';

/** A line a slice on which at least two configurations recorded their loss; trials that halving ended early are left out. */
export function lossAgreement(
  label: string,
  records: readonly DoneRecord[],
  choice: MetricChoice,
): LossAgreement[] {
  const { select } = records[0]!.config.evaluation;
  // Asked about the loss itself, the report sets it against what the sweep selected on.
  const metric: MetricChoice =
    choice.name === 'loss' ? { ...choice, name: select, direction: 'maximize' } : { ...choice };
  const slices = new Map<string, Map<string, { layers: number; dim: number; runs: [number, number][] }>>();
  for (const record of records) {
    const { layers, dim } = record.config.model;
    const loss = record.result.test.loss;
    const value = metricOf(record, { ...metric, split: 'test' });
    if (loss === undefined || value === undefined || isHalved(record)) continue;
    const sizes = slices.get(record.slice.label) ?? new Map();
    slices.set(record.slice.label, sizes);
    const key = `${layers}/${dim}`;
    const size = sizes.get(key) ?? { layers, dim, runs: [] };
    sizes.set(key, size);
    size.runs.push([value, loss]);
  }
  return [...slices].flatMap(([slice, sizes]): LossAgreement[] => {
    const values = [...sizes.values()].map(({ layers, dim, runs }): SizeValue => {
      const mean = (which: 0 | 1) => runs.reduce((sum, run) => sum + run[which], 0) / runs.length;
      return { layers, dim, metric: mean(0), loss: mean(1) };
    });
    if (values.length < 2) return [];
    return [
      {
        label,
        slice,
        configurations: values.length,
        byMetric: bestBy(metric.direction, values, (one) => one.metric),
        byLoss: bestBy('minimize', values, (one) => one.loss),
        ...(values.length > 2 ? { correlation: correlation(values, metric.direction === 'minimize') } : {}),
      },
    ];
  });
}

function correlation(values: readonly SizeValue[], lowerIsBetter: boolean): number {
  return sampleRankCorrelation(
    values.map(({ metric }) => (lowerIsBetter ? -metric : metric)),
    values.map(({ loss }) => -loss),
  );
}
