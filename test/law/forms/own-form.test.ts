/** The form of docs/law.md, taken from the page as it stands: one file, and nothing else. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fitLaw } from '../../../src/law/fitting/fit.js';
import { innerOf } from '../../../src/law/fitting/inner.js';
import { FORM_NAMES, formByName, registerForm } from '../../../src/law/forms/forms.js';
import { loadForm, namedForms } from '../../../src/law/forms/own-form.js';
import { toPoints } from '../../../src/law/points/points.js';
import { compareForms } from '../../../src/law/trust/compare.js';
import type { BootstrapTask, Draw } from '../../../src/law/trust/draws.js';
import { bootstrap } from '../../../src/law/trust/uncertainty.js';
import { ML1M } from '../panel-ml1m.js';

const page = readFileSync(new URL('../../../docs/law.md', import.meta.url), 'utf8');
const example = /```js\n([\s\S]*?)```/.exec(page)![1]!;
const folder = mkdtempSync(join(tmpdir(), 'perflaw-form-'));
const file = join(folder, 'exponential.mjs');
beforeAll(() => writeFileSync(file, example));
afterAll(() => rmSync(folder, { recursive: true }));

const made = ML1M.map((one) => ({
  ...one,
  metrics: { 'hr@10': 0.3 - 0.05 * Math.exp(-0.2 * one.layers) - 0.08 * Math.exp(-0.03 * one.dim) },
}));

describe('a form of one file', () => {
  it('is found by its name once loaded, and recovers what made the data', async () => {
    expect(() => formByName('exponential')).toThrow(/no form named/);
    expect((await loadForm(file)).name).toBe('exponential');
    const { coefficients } = fitLaw(made, { form: 'exponential' });
    expect(coefficients['E']).toBeCloseTo(0.3, 6);
    expect(coefficients['k']).toBeCloseTo(0.2, 5);
    expect(coefficients['q']).toBeCloseTo(0.03, 6);
    expect(coefficients['A']).toBeCloseTo(0.05, 6);
    expect(coefficients['B']).toBeCloseTo(0.08, 6);
  });

  it('stands beside the others, and wins where it is the truth', async () => {
    const forms = await namedForms(`all,${file}`);
    expect(forms).toEqual([...FORM_NAMES, 'exponential']);
    const { chosen, scores } = compareForms(toPoints(made, 'hr@10').points, 'hr@10', { forms });
    expect(chosen).toBe('exponential');
    expect(scores).toHaveLength(FORM_NAMES.length + 1);
    expect(await namedForms('log-linear, logistic')).toEqual(['log-linear', 'logistic']);
  });

  const worker = new URL('../../../dist/law/trust/bootstrap-worker.js', import.meta.url);
  const built = existsSync(worker);
  if (!built) console.log('skipped: worker threads need the compiled files; run `npm run build`');
  it.skipIf(!built)('is read again by the threads of the bootstrap', async () => {
    await loadForm(file);
    const { draws } = await bootstrap(fitLaw(ML1M, { form: 'exponential' }), { resamples: 4, threads: 1 });
    const { problem, solution, model, points, settings } = innerOf(fitLaw(ML1M, { form: 'exponential' }));
    const { makeGrid } = await import('../../../src/law/fitting/search.js');
    const task: BootstrapTask = {
      form: 'exponential',
      source: pathToFileURL(file).href,
      options: model.options,
      points,
      exponents: model.exponents.map(({ min, max }) => [min, max]),
      theta: solution.theta,
      beta: [...solution.beta],
      settings,
      grid: makeGrid(problem, 'coarse'),
      seed: 0,
      from: 0,
      to: 4,
    };
    const thread = new Worker(worker);
    const answer = new Promise<Draw[]>((resolve, reject) => {
      thread.on('message', resolve);
      thread.on('error', reject);
    });
    thread.postMessage(task);
    expect(await answer).toEqual(draws);
    await thread.terminate();
  });

  it('is refused when it is not whole, or takes the name of another', async () => {
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    await expect(loadForm(join(folder, 'none.mjs'))).rejects.toThrow(/no such file/);
    await expect(loadForm(write('empty.mjs', 'export const x = 1;'))).rejects.toThrow(/no default export/);
    await expect(loadForm(write('broken.mjs', 'export default {'))).rejects.toThrow(/cannot be loaded/);
    await expect(loadForm(write('half.mjs', 'export default { name: "half" };'))).rejects.toThrow(
      /lacks title, equation, constant, needs, terms/,
    );
    expect(() => registerForm(formByName('log-linear'))).toThrow(/already/);
    expect(() => registerForm({ ...formByName('log-linear'), name: 'exponential' })).toThrow(/already/);
  });
});
