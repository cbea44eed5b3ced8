/** Every sweep file that ships is valid, headed by what a reader wants to know, and plans what it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadCatalogue } from '../../../src/data/fetch/catalogue.js';
import { planSweep } from '../../../src/sweep/file/plan.js';
import { resolveSweep } from '../../../src/sweep/file/resolve.js';
import { sweepJsonSchema } from '../../../src/sweep/file/schema.js';
import { checkSweepText, readSweepFile } from '../../../src/sweep/file/spec.js';
import { realCost } from '../../../src/sweep/run/estimate.js';
import { prepareSweep } from '../../../src/sweep/run/start.js';
import { packageRoot } from '../../../src/util/workspace.js';

const folder = join(packageRoot, 'sweeps');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const sweepOf = (name: string) => resolveSweep(readSweepFile(join(folder, name)));

it('the page on clusters shows a sweep file that is valid', () => {
  const page = readFileSync(join(packageRoot, 'docs', 'cluster.md'), 'utf8');
  const [, text] = /```yaml\n([^`]+)```/.exec(page)!;
  expect(text).toContain('slurm:');
  expect(checkSweepText(text!, 'cluster.md').problems).toEqual([]);
});

describe('the sweep files that ship', () => {
  it('are there', () => {
    const published = ['ml1m', 'beauty', 'kuairand'].flatMap((data) =>
      ['mamba4rec', 'tim4rec', 'ssd4rec'].map((model) => `${data}-${model}.yaml`),
    );
    expect(files).toEqual(
      expect.arrayContaining(['quickstart.yaml', 'ml100k.yaml', 'ml1m.yaml', 'law-ml1m.yaml', ...published]),
    );
  });

  it.each(files)(
    '%s is valid, named after its file, and says purpose, cost, command and expectation',
    (name) => {
      const sweep = sweepOf(name);
      expect(`${sweep.name}.yaml`).toBe(name);
      for (const word of ['Purpose', 'Cost', 'Command', 'Expect'])
        expect(sweep.text).toMatch(new RegExp(`^# ${word}:\\s+\\S`, 'm'));
      expect(sweep.text).toContain('$schema=./sweep.schema.json');
      expect(sweep.text).toContain(`perflaw sweep sweeps/${name}`);
    },
  );

  it.each(files)(
    '%s plans, on the published counts of its data, the trials and parameters that it states',
    async (name) => {
      const sweep = sweepOf(name);
      if (typeof sweep.data !== 'string') return; // the generator's data are planned below
      const { users, items, interactions } = (await loadCatalogue('')).get(sweep.data)!.expected!;
      const { trials } = planSweep(
        sweep,
        'wasm',
        {
          name: sweep.data,
          hash: 'published counts',
          numItems: items,
          timed: true,
          leaves: () => true,
          tokensOf: (slice) => slice.users * (interactions - 2 * users),
          epochWorkOf: ({ slice }) => ({ steps: slice.users * (interactions - 3 * users), predicting: 1 }),
        },
        await realCost(),
      );
      const cost = /^# Cost:\s+([^.]*)/m.exec(sweep.text.replaceAll(/\n# {2,}/g, ' '))![1]!;
      const stated = /(\d+) trials?/.exec(cost)?.[1];
      if (stated) expect(trials.length).toBe(Number(stated));
      const sizes = trials.map(({ parameters }) => parameters.toLocaleString('en'));
      for (const [number] of cost.matchAll(/\d{1,3}(,\d{3})+/g)) expect(sizes).toContain(number);
      // Something to run on: a trial's memory is at most what a small machine has.
      for (const { memory } of trials) expect(memory).toBeLessThan(4 * 2 ** 30);
    },
  );

  it('the sizes that were published are those of the sweeps of the same models', () => {
    for (const [name, parameters] of [
      ['ml1m-mamba4rec-published', '290,944'],
      ['ml1m-tim4rec', '508,818'],
      ['kuairand-tim4rec', '593,498'],
    ])
      expect(sweepOf(`${name}.yaml`).text).toContain(parameters);
  });

  it('quickstart needs no download and plans a grid over two slices', async () => {
    const { plan, stored } = await prepareSweep(join(folder, 'quickstart.yaml'));
    expect(stored.data.reference).toHaveProperty('synthetic');
    const axes = (pick: (trial: (typeof plan.trials)[0]) => unknown) => new Set(plan.trials.map(pick)).size;
    expect(axes(({ config }) => config.model.dim)).toBeGreaterThanOrEqual(3);
    expect(axes(({ config }) => config.model.layers)).toBeGreaterThanOrEqual(3);
    expect(axes(({ config }) => JSON.stringify(config.slice))).toBe(2);
  });

  it('ml100k holds at least 2 dims x 3 layers x 2 slices', () => {
    const { grid, slices } = sweepOf('ml100k.yaml');
    expect(grid['dim']!.length).toBeGreaterThanOrEqual(2);
    expect(grid['layers']!.length).toBeGreaterThanOrEqual(3);
    expect(slices.length).toBeGreaterThanOrEqual(2);
  });

  it('ml1m holds the published grid', () => {
    const { grid } = sweepOf('ml1m.yaml');
    expect(grid['layers']).toEqual([4, 8, 12, 16, 24, 32]);
    expect(grid['dim']).toEqual([25, 50, 75, 100]);
  });

  it('have a JSON Schema beside them that is up to date (npm run schema writes it)', () => {
    const shipped = JSON.parse(readFileSync(join(folder, 'sweep.schema.json'), 'utf8'));
    expect(shipped).toEqual(JSON.parse(JSON.stringify(sweepJsonSchema())));
  });
});
