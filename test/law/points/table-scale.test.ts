import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { readTable } from '../../../src/law/points/table.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-scale-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SHAPES = [1, 2, 4].flatMap((layers) => [16, 32, 64].map((dim) => ({ layers, dim })));
const value = ({ layers, dim }: { layers: number; dim: number }) =>
  0.5 + 0.05 * Math.log(layers) + 0.05 * Math.log(dim / 16);
/** A table with a row a shape; columns by name. */
const table = (columns: Record<string, (shape: { layers: number; dim: number }) => number | string>) => {
  const path = join(folder, `${Math.random()}.csv`);
  const names = Object.keys(columns);
  const rows = SHAPES.map((shape) => [
    shape.layers,
    shape.dim,
    ...names.map((name) => columns[name]!(shape)),
  ]);
  writeFileSync(path, [['layers', 'dim', ...names], ...rows].map((row) => row.join()).join('\n'));
  return readTable(path);
};
const rangeOf = async (columns: Parameters<typeof table>[0], metric = 'hr@10') => {
  const { observations, notes } = await table(columns);
  return { range: fitLaw(observations, { form: 'log-linear', metric }).range, notes: notes.join('\n') };
};

describe('shares all below 1', () => {
  it('are fractions where nothing says otherwise, and large ones are said to be taken so', async () => {
    const { range, notes } = await rangeOf({ 'hr@10': value });
    expect(range).toEqual([0, 1]);
    expect(notes).toMatch(
      /"hr@10" is taken for fractions of 1; if it holds percentages, name it "hr@10 \(%\)"/,
    );
    const small = await rangeOf({ 'hr@10': (shape) => value(shape) / 5 });
    expect(small.notes).not.toMatch(/fractions/);
  });

  it.each(['HR@10 (%)', 'hr@10_pct', 'test/HR@10 %', 'hit_rate_10_percent'])(
    'are percentages under the name %s',
    async (name) => {
      const { range, notes } = await rangeOf({ [name]: value });
      expect(range).toEqual([0, 100]);
      expect(notes).not.toMatch(/fractions/);
    },
  );

  it('are percentages beside a share that has values above 1, of the same size, and fractions beside one far larger', async () => {
    const close = await rangeOf({ 'hr@10': value, 'hr@20': (shape) => 2 * value(shape) });
    expect(close.range).toEqual([0, 100]);
    expect(close.notes).toMatch(/"hr@10" is taken for percentages, as "hr@20" is/);
    const far = await rangeOf({ 'hr@10': value, 'hr@20': (shape) => 70 * value(shape) });
    expect(far.range).toEqual([0, 1]);
  });
});

describe('numbers of parameters', () => {
  it('that no model of that size has are refused with the remedy', async () => {
    const millions = (shape: { layers: number; dim: number }) => (12 * shape.layers * shape.dim ** 2) / 1e6;
    await expect(table({ 'hr@10': value, params: millions })).rejects.toMatchObject({
      message: expect.stringMatching(
        /"params": 0.003072 cannot be the number of parameters of layers 1, dim 16/,
      ),
      place: expect.stringMatching(/:2$/),
      remedy: expect.stringMatching(/in full \(0.4 million as 400000, or as 0.4M\).*--ignore "params"/),
    });
    const { observations } = await table({ 'hr@10': value, params: (shape) => `${millions(shape)}M` });
    expect(observations[0]!.params).toBe(3072);
  });
});

describe('rows with an id', () => {
  it('are one run where they share it', async () => {
    const { observations, notes } = await table({ run_id: ({ layers }) => `r${layers}`, 'hr@10': value });
    expect(observations.map(({ id }) => id)).toEqual(SHAPES.map(({ layers }) => `r${layers}`));
    expect(notes.join()).not.toMatch(/not used/);
  });
});
