import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { run } from '../../src/commands/report.js';
import { UserError } from '../../src/util/errors.js';
import { storeSweep } from '../report/stored-sweep.js';

const root = mkdtempSync(join(tmpdir(), 'perflaw-report-'));
let folder: string;

beforeAll(() => {
  process.env['PERFLAW_HOME'] = root;
  folder = storeSweep(root, 'first', { slices: [1], failures: 1, epochs: 3 });
});
afterAll(() => {
  delete process.env['PERFLAW_HOME'];
  rmSync(root, { recursive: true, force: true });
});
afterEach(() => vi.restoreAllMocks());

/** Runs the command and returns what it wrote. */
async function call(args: Record<string, unknown>): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  const code = await run({ ...args });
  vi.restoreAllMocks();
  return { code, out, err };
}

describe('perflaw report', () => {
  it('takes the last sweep, writes page and figures into its folder and says the answer', async () => {
    const { code, out, err } = await call({});
    expect(code).toBe(0);
    expect(out).toContain('1 of 16 trials failed (out of memory: 1; all).');
    expect(out).toContain('Best measured: 2 layers, dim 64');
    expect(out).toMatch(/What to train: \d+ layers?, dim \d+/);
    expect(out).toContain('report.html');
    expect(err).toBe('');
    expect(readFileSync(join(folder, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/);
    const files = readdirSync(join(folder, 'figures')).sort();
    for (const id of [
      'surface',
      'budget',
      'frontier',
      'predicted',
      'residuals',
      'forms',
      'learning-curves',
      'slices',
      'baseline',
    ])
      expect(files).toEqual(expect.arrayContaining([`${id}.png`, `${id}.svg`]));
    const svg = readFileSync(join(folder, 'figures', 'surface.svg'), 'utf8');
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toContain('var(--');
    const png = readFileSync(join(folder, 'figures', 'surface.png'));
    expect(png.readUInt32BE(16)).toBeGreaterThan(1200);
  });

  it('prints one JSON value with --json', async () => {
    const out = join(root, 'elsewhere');
    const result = await call({ runs: 'first', out, format: ['svg'], json: true, form: 'quadratic-log' });
    const value = JSON.parse(result.out);
    expect(value.sweep).toBe('first');
    expect(value.page).toBeUndefined();
    expect(value.trials).toEqual({ done: 15, failed: 1, pending: 0 });
    expect(value.figures.map((figure: { id: string }) => figure.id)).toContain('predicted');
    for (const { svg, png } of value.figures) {
      expect(existsSync(svg)).toBe(true);
      expect(png).toBeUndefined();
    }
    expect(existsSync(join(out, 'report.html'))).toBe(false);
  });

  it('refuses what it cannot do, with a remedy', async () => {
    await expect(call({ runs: 'frist' })).rejects.toThrow(UserError);
    await expect(call({ runs: 'first', metric: 'ndcg@3' })).rejects.toThrow(
      /no trial has the metric "ndcg@3"/,
    );
    await expect(call({ runs: 'first', form: 'cubic' })).rejects.toThrow(/no form named "cubic"/);
    storeSweep(root, 'empty', { layers: [], open: 0 });
    await expect(call({ runs: 'empty' })).rejects.toThrow(/no trial of this sweep has a result yet/);
  });

  it('names a folder that cannot be written, and leaves nothing half-written', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    await expect(call({ runs: 'first', out: join(file, 'sub'), format: ['html'] })).rejects.toMatchObject({
      message: expect.stringContaining('cannot write this file'),
    });
    mkdirSync(join(root, 'kept'), { recursive: true });
    expect(readdirSync(join(root, 'kept'))).toEqual([]);
  });

  it('tells of a sweep in which everything failed', async () => {
    storeSweep(root, 'ruined', { layers: [8], dims: [128], slices: [1], failures: 1 });
    const { code, out } = await call({ runs: 'ruined', format: ['html'] });
    expect(code).toBe(0);
    expect(out).toContain('1 of 1 trial failed');
    expect(out).toContain('No trial has finished');
  });
});
