/** One rule for what is a repeat: a sweep, its table and its report part the same runs, whatever axis the sweep has. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { csvText } from '../../../src/commands/results.js';
import { temporaryFolder } from '../../../src/contract/fake.js';
import type { Observation } from '../../../src/law/points/observation.js';
import { type Panel, panelsOf, toPoints } from '../../../src/law/points/points.js';
import { SETTING_NAMES } from '../../../src/law/points/settings.js';
import { readTable, type TableOptions } from '../../../src/law/points/table.js';
import { gatherReport } from '../../../src/report/view/gather.js';
import { readSweepRecords } from '../../../src/report/view/read.js';
import { AXIS_NAMES, type AxisName } from '../../../src/sweep/file/axes.js';
import { fullRow } from '../../../src/sweep/results/index-row.js';
import { readSweepObservations } from '../../../src/sweep/results/observations.js';
import type { DoneRecord } from '../../../src/sweep/store/record.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import type { TrialConfig } from '../../../src/train/config.js';
import { sliceMeasures } from '../../report/simulated-sweep.js';
import { storeSweep } from '../../report/stored-sweep.js';

/** Two values of every axis; undefined: left out, as a resolved trial leaves out what says nothing. */
const VALUES: Record<AxisName, [unknown, unknown]> = {
  model: ['mamba4rec', 'ssd4rec'],
  dim: [16, 32],
  layers: [1, 2],
  dState: [16, 32],
  dConv: [3, 4],
  expand: [1.5, 2],
  headDim: [8, undefined],
  maxLength: [50, 200],
  dropout: [0.1, 0.2],
  init: ['mamba', 'mamba4rec'],
  residual: ['always', undefined],
  time: ['causal', undefined],
  timeGate: ['one', 'position'],
  timeDropout: [0, undefined],
  convInit: ['uniform', 'kaiming'],
  beta: [0, 0.1],
  reverseOutput: ['released', 'aligned'],
  hiddenShare: [0.1, undefined],
  embeddingNorm: ['on', 'off'],
  epochs: [10, 20],
  patience: [0, 5],
  rows: [4, 8],
  loss: ['all', 'last'],
  prefixes: ['every', 16],
  negatives: [100, undefined],
  proposal: ['uniform', undefined],
  learningRate: [1e-3, 5e-4],
  schedule: ['constant', 'cosine'],
  warmup: [0, 100],
  weightDecay: [0, 0.01],
  clipNorm: [0, 1],
  evaluateEvery: [1, 2],
  evaluateSteps: [50, 100],
  slice: [{ users: 0.5 }, { users: 1 }],
  seed: [0, 1],
};
/** Axes that are no settings: places on the law's axes, slices, repeats. */
const NO_SETTINGS = ['dim', 'layers', 'slice', 'seed'];

function withValue(config: TrialConfig, axis: AxisName, value: unknown): TrialConfig {
  const copy = structuredClone(config);
  if (axis === 'model') copy.model.name = value as TrialConfig['model']['name'];
  else if (axis === 'slice') copy.slice = value as TrialConfig['slice'];
  else if (axis === 'seed') copy.seed = value as number;
  else {
    const training = SETTING_NAMES.indexOf(axis) >= SETTING_NAMES.indexOf('epochs');
    const home = (training ? copy.training : copy.model) as unknown as Record<string, unknown>;
    if (value === undefined) delete home[axis];
    else home[axis] = value;
  }
  return copy;
}

/** Panels and their points: label, and how many runs every configuration has. */
const shown = (panels: readonly Panel[], metric = 'ndcg@10') =>
  panels
    .map(({ label, observations }) => ({
      label,
      runs: toPoints(observations, metric).points.map(
        ({ x, runs }) => `${x.layers}/${x.dim}: ${runs.length}`,
      ),
    }))
    .sort((a, b) => (a.label < b.label ? -1 : 1));

describe('panels of a sweep, of its table and of its report', () => {
  let home: string;
  beforeEach(() => {
    home = temporaryFolder();
  });

  /** A sweep of 1 and 2 layers by four dims, run at each value of the axis. */
  function crossed(axis: AxisName): string {
    return storeSweep(home, `by-${axis}`, {
      layers: [1, 2],
      dims: [16, 32, 64, 128],
      slices: [1],
      change: (records) =>
        axis === 'dim' || axis === 'layers'
          ? records
          : VALUES[axis].flatMap((value, i) =>
              records.map((record): DoneRecord => {
                const config = withValue(record.config, axis, value);
                const ndcg = record.result.test.masked['ndcg@10']! * (1 - 0.3 * i);
                const slice = sliceMeasures(config.slice.users);
                const masked = { ...record.result.test.masked, 'ndcg@10': ndcg };
                const test = { ...record.result.test, masked };
                return { ...record, config, slice, result: { ...record.result, test } };
              }),
            ),
    });
  }

  async function asTable(path: string, options?: TableOptions): Promise<Observation[]> {
    const store = new SweepStore(path);
    const plan = store.readPlan();
    const rows = plan.trials.map((trial) => {
      const found = store.readTrial(trial.id, plan.numericVersion);
      return fullRow(trial, found.state === 'done' ? found.record : undefined);
    });
    const csv = join(home, 'runs.csv');
    writeFileSync(csv, csvText(rows));
    return (await readTable(csv, options)).observations;
  }

  it.each(AXIS_NAMES)('are the same where %s varies', async (axis) => {
    const path = crossed(axis);
    const { observations } = await readSweepObservations(path);
    const ofSweep = shown(panelsOf(observations));
    expect(shown(panelsOf(await asTable(path)))).toEqual(ofSweep);

    const report = await gatherReport(readSweepRecords(path), { resamples: 20, form: 'log-linear' });
    const laws = report.groups.flatMap(({ law }) => law!.panels.map(({ slice }) => slice));
    expect(laws.sort()).toEqual(
      panelsOf(observations)
        .map(({ slice }) => slice)
        .sort(),
    );
    for (const { label, records } of report.groups) {
      const same = ofSweep.filter((panel) => {
        const words = panel.label.split(' ');
        return label === '' || words.includes(label) || words.includes(`model=${label}`);
      });
      const runs = same.flatMap((panel) => panel.runs.map((text) => Number(text.split(': ')[1])));
      expect(runs.reduce((a, b) => a + b, 0)).toBe(records.length);
    }

    const isSetting = !NO_SETTINGS.includes(axis);
    expect(ofSweep).toHaveLength(isSetting || axis === 'slice' ? 2 : 1);
    expect(report.groups).toHaveLength(isSetting ? 2 : 1);
    for (const { label, runs } of ofSweep) {
      if (isSetting) expect(label).toMatch(new RegExp(` ${axis}=\\S`));
      expect(runs).toHaveLength(8);
      for (const text of runs) expect(text.endsWith(axis === 'seed' ? ': 2' : ': 1')).toBe(true);
    }
  });

  it('leave out what successive halving ended early, unless it is asked for', async () => {
    const path = storeSweep(home, 'halved', {
      slices: [1],
      change: (records) =>
        records.map((record, i) =>
          i % 4 === 0 ? { ...record, result: { ...record.result, stopped: 'halving' } } : record,
        ),
    });
    for (const halved of [false, true]) {
      const { observations } = await readSweepObservations(path, { halved });
      expect(observations).toHaveLength(halved ? 16 : 12);
      expect(shown(panelsOf(await asTable(path, { halved })))).toEqual(shown(panelsOf(observations)));
    }
  });

  it('are one where the setting that varies is ignored, in a report as in a fit', async () => {
    const records = readSweepRecords(crossed('learningRate'));
    const report = await gatherReport(records, { resamples: 20, form: 'log-linear', ignore: ['lr'] });
    expect(report.groups.map(({ label, records: own }) => [label, own.length])).toEqual([['', 16]]);
    const { points } = report.groups[0]!.law!;
    expect(points).toHaveLength(16);
    expect(new Set(points.map(({ predicted }) => predicted.value.toPrecision(12))).size).toBe(8);
    expect(report.made.command).toMatch(/ --ignore learningRate$/);
    await expect(gatherReport(records, { ignore: ['learningRat'] })).rejects.toMatchObject({
      place: '--ignore',
      remedy: expect.stringContaining('Is "learningRate" meant?'),
    });
  });

  it('name a value that is left out', async () => {
    const labels = async (axis: AxisName) =>
      panelsOf((await readSweepObservations(crossed(axis))).observations).map(({ label }) => label);
    expect(await labels('negatives')).toEqual(['all negatives=100', 'all negatives=all']);
    expect(await labels('headDim')).toEqual(['all headDim=8', 'all headDim=none']);
    const report = await gatherReport(readSweepRecords(crossed('negatives')), { resamples: 20 });
    expect(report.groups.map(({ label }) => label)).toEqual(['negatives=100', 'negatives=all']);
  });
});

it('every setting that an axis may have is known by its name', () => {
  expect(AXIS_NAMES.filter((name) => !NO_SETTINGS.includes(name) && !SETTING_NAMES.includes(name))).toEqual(
    [],
  );
});
