import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toPoints } from '../../../src/law/points/points.js';
import {
  columnRole,
  groupBySettings,
  namesTheSize,
  type Settings,
  settingColumns,
  settingsNote,
  varyingSettings,
} from '../../../src/law/points/settings.js';

/** Runs over layers, dim and whatever else is crossed with them. */
function runs(crossed: Record<string, (string | number)[]>, seeds = 1) {
  let rows: Record<string, string>[] = [{}];
  const axes = { layers: [1, 2, 4], dim: [16, 32, 64], ...crossed, seed: [...Array(seeds).keys()] };
  for (const [name, values] of Object.entries(axes))
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: String(value) })));
  const sizes = rows.map((row) => `${row['layers']} ${row['dim']}`);
  return {
    rows,
    column: (name: string) => rows.map((row) => row[name]!),
    known: { configurations: sizes, sizes, seeds: rows.map((row) => row['seed']!) },
  };
}

describe('a column of a table', () => {
  const { rows, known, column } = runs({ bs: [32, 512] }, 2);
  const role = (name: string, values: (row: Record<string, string>, i: number) => unknown) =>
    columnRole({ ...known, name, values: rows.map((row, i) => String(values(row, i))) });

  it('is a setting where its few values come back at other sizes', () => {
    expect(role('bs', (row) => row['bs'])).toBe('setting');
    expect(role('optimizer', (row) => (row['bs'] === '32' ? 'adam' : ''))).toBe('setting');
  });

  it('is one too where its name has a word of an outcome in it, or holds no numbers', () => {
    for (const name of [
      'timeDropout',
      'loss_type',
      'user_dim',
      'rank',
      'label_smoothing',
      'time_steps',
      'final_lr',
    ])
      expect(
        role(name, (row) => row['bs']),
        name,
      ).toBe('setting');
    expect(role('loss', (row) => (row['bs'] === '32' ? 'bpr' : 'ce'))).toBe('setting');
  });

  it('parts nothing where runs of one configuration agree in it', () => {
    expect(role('lr', (row) => 1 / Number(row['dim']))).toBe('follows');
    expect(role('optimizer', () => 'adam')).toBe('constant');
  });

  it('is none where it identifies, dates or measures a run, whatever its values', () => {
    for (const name of [
      ...['number', 'run_id', 'trial_id', 'Name', 'start_time', 'datetime_complete', 'duration', 'hostname'],
      ...['bestEpoch', 'best_epoch', 'epochsRun', 'gpu memory', 'train_seconds', 'column 1', 'Unnamed: 0'],
      ...[
        'val_accuracy',
        'train_loss',
        'epoch',
        'Runtime',
        'Created',
        'artifact_uri',
        'git_commit',
        'node_ip',
      ],
    ])
      expect(
        role(name, (row) => row['bs']),
        name,
      ).toBe('outcome');
  });

  it('is none where it is the seed by another name, and none where hardly a value comes back', () => {
    expect(role('init_code', (row) => `s${row['seed']}`)).toBe('seed');
    expect(role('lr', (_, i) => 1e-3 * (1 + i))).toBe('distinct');
  });

  it('only names the size where every size has a value of its own', () => {
    const sizes = known.sizes;
    expect(
      namesTheSize(
        sizes.map((size) => `model ${size}`),
        sizes,
      ),
    ).toBe(true);
    expect(namesTheSize(column('bs'), sizes)).toBe(false);
    expect(namesTheSize(['a', 'b'], ['1 16', '2 32'])).toBe(false);
  });
});

describe('the settings among columns', () => {
  it('are those that were crossed, and no others, whatever stands beside them', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.constantFrom('bs', 'lr', 'optimizer', 'heads'), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 2, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        (names, levels, seeds) => {
          const values = Array.from({ length: levels }, (_, i) => i);
          const { rows, column, known } = runs(
            Object.fromEntries(names.map((name) => [name, values])),
            seeds,
          );
          const beside = {
            number: rows.map((_, i) => String(i)),
            rate: rows.map((_, i) => String(Math.sin(i))),
            warmup: rows.map((row) => String(10 * Number(row['layers']))),
            code: rows.map((row) => `x${row['seed']}`),
          };
          const columns = [
            ...Object.entries(beside).map(([name, list]) => ({ column: name, name, values: list })),
            ...names.map((name) => ({ column: name, name, values: column(name) })),
          ];
          const found = settingColumns(columns, known);
          expect(found.settings.toSorted()).toEqual(names.toSorted());
          // with one run a configuration nothing is left to differ in
          expect(found.distinct).toEqual(seeds > 1 ? ['rate'] : []);
        },
      ),
    );
  });

  it('are the fewest that part the runs; one that goes with another is said to', () => {
    const { column, known } = runs({ bs: [32, 512] });
    const bs = column('bs');
    const found = settingColumns(
      [
        { column: 'bs', name: 'bs', values: bs },
        { column: 'steps', name: 'steps', values: bs.map((value) => String(1e6 / Number(value))) },
      ],
      known,
    );
    expect(found).toEqual({ settings: ['bs'], alike: ['steps'], distinct: [] });
  });
});

describe('runs grouped by their settings', () => {
  it('agree within a group in every setting, and groups differ, whatever the settings are', () => {
    const value = fc.option(fc.constantFrom('a', 'b', 1), { nil: undefined });
    const config = fc.record({ dropout: value, bs: value, seed: fc.nat(3), dim: fc.nat(3) }).map((one) => {
      const given = Object.entries(one).filter(([, own]) => own !== undefined);
      return Object.fromEntries(given) as Record<string, string | number>;
    });
    fc.assert(
      fc.property(fc.array(config, { minLength: 1, maxLength: 12 }), (configs) => {
        const groups = groupBySettings(configs, (one) => one);
        expect(groups.flatMap(({ items }) => items)).toHaveLength(configs.length);
        for (const { items } of groups) expect(varyingSettings(items).size).toBe(0);
        expect(new Set(groups.map(({ settings }) => JSON.stringify(settings))).size).toBe(groups.length);
        expect(settingsNote(configs) === undefined).toBe(groups.length === 1);
      }),
    );
  });

  it('name what is absent, and settings in the order of sweep files', () => {
    const configs: Settings[] = [{ warmup: 1 }, { dState: 8, warmup: 1, negatives: 10 }, { dState: 8 }];
    const groups = groupBySettings(configs, (one) => one);
    expect(groups.map(({ settings }) => Object.entries(settings))).toEqual([
      [
        ['dState', 'none'],
        ['negatives', 'all'],
        ['warmup', 1],
      ],
      [
        ['dState', 8],
        ['negatives', 10],
        ['warmup', 1],
      ],
      [
        ['dState', 8],
        ['negatives', 'all'],
        ['warmup', 'none'],
      ],
    ]);
  });

  it('make points of their own: as repeats they are refused', () => {
    const run = (learningRate: number) => ({
      slice: 'all',
      layers: 1,
      dim: 8,
      metrics: { loss: learningRate },
      config: { learningRate },
    });
    expect(() => toPoints([run(1), run(2)], 'loss')).toThrow(/differ in learningRate: they are no repeats/);
  });
});
