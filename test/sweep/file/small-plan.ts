/** A plan of a sweep file's text over a small data set, where size and cost are the dim. */
import { planSweep } from '../../../src/sweep/file/plan.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { checkSweepText } from '../../../src/sweep/file/spec.js';

export function smallPlan(text: string) {
  const { source, problems } = checkSweepText(`data: d\n${text}`, 'small.yaml');
  if (!source) throw new Error(JSON.stringify(problems));
  return planSweep(
    resolveSweep(source),
    'wasm',
    {
      name: 'd',
      hash: 'h',
      numItems: 500,
      timed: true,
      leaves: () => true,
      tokensOf: () => 1000,
      epochWorkOf: () => ({ steps: 1000, predicting: 1 }),
    },
    {
      numericVersion: 1,
      sizeOf: ({ model }) => ({ parameters: model.dim, flopsPerToken: model.dim }),
      memoryOf: () => 1,
    },
  );
}
