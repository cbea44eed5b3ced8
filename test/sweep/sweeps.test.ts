/** Every sweep file that ships is valid, headed by what a reader wants to know, and plans what it says. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { prepareSweep } from '../../src/sweep/prepare.js';
import { resolveSweep } from '../../src/sweep/resolve.js';
import { sweepJsonSchema } from '../../src/sweep/schema.js';
import { readSweepFile } from '../../src/sweep/spec.js';
import { packageRoot } from '../../src/util/workspace.js';

const folder = join(packageRoot, 'sweeps');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
const sweepOf = (name: string) => resolveSweep(readSweepFile(join(folder, name)));

describe('the sweep files that ship', () => {
  it('are there', () => {
    expect(files).toEqual(expect.arrayContaining(['quickstart.yaml', 'ml100k.yaml', 'ml1m.yaml']));
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

  it('have a JSON Schema beside them that is up to date', () => {
    const shipped = JSON.parse(readFileSync(join(folder, 'sweep.schema.json'), 'utf8'));
    expect(shipped).toEqual(JSON.parse(JSON.stringify(sweepJsonSchema())));
  });
});
