import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import * as fit from '../../src/commands/fit.js';
import type { Arguments, CommandModule } from '../../src/commands/options/command.js';
import * as predict from '../../src/commands/predict.js';
import { predictionText } from '../../src/commands/words/predict-text.js';
import type { PanelAnalysis } from '../../src/law/analyse.js';
import type { PredictionReport } from '../../src/law/predict/prediction.js';
import type { DoneRecord } from '../../src/sweep/store/record.js';
import { DIMS, LAYERS, ML1M } from '../law/panel-ml1m.js';
import { storeSweep } from '../report/stored-sweep.js';

const folder = mkdtempSync(join(tmpdir(), 'perflaw-fit-'));
afterAll(() => rmSync(folder, { recursive: true }));

const csv = (name: string, header: string, rows: (string | number)[][]) => {
  const path = join(folder, name);
  writeFileSync(path, [header, ...rows.map((row) => row.join(','))].join('\n'));
  return path;
};
const panel = csv(
  'panel.csv',
  'slice,layers,dim,hr@10',
  ML1M.map((one) => [one.slice, one.layers, one.dim, one.metrics['hr@10']!]),
);

/** Runs a command as the program does, and gives back its exit code and what it wrote. */
async function run(command: CommandModule, ...words: string[]) {
  let out = '';
  let err = '';
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    err += text;
    return true;
  });
  try {
    const parser = command.options(yargs(words).option('json', { type: 'boolean' }).exitProcess(false));
    const { _: rest, ...args } = await parser.parseAsync();
    const code = await command.run({ ...args, runs: (rest as string[])[0] } as Arguments);
    return { code, out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

describe('perflaw fit', () => {
  it('gives the coefficients, scores and limits of the ML-1M panel as JSON', async () => {
    const { code, out } = await run(fit, panel, '--form', 'performance-law', '--json', '--bootstrap', '100');
    expect(code).toBe(0);
    const [slice] = JSON.parse(out).slices;
    expect(slice).toMatchObject({ slice: 'ml-1m', form: 'performance-law', identifiable: true });
    expect(slice.coefficients.a.value).toBeCloseTo(-0.2603, 4);
    expect(slice.coefficients["a'"].value).toBeCloseTo(-0.1665, 4);
    expect(slice.coefficients.w1.value).toBeCloseTo(0.1573, 4);
    expect(slice.coefficients.w2.value).toBeCloseTo(2.1966, 4);
    expect(slice.coefficients.c.value).toBeCloseTo(1.0388, 4);
    for (const { interval } of Object.values<{ interval: number[] }>(slice.coefficients)) {
      expect(interval).toHaveLength(2);
      expect(interval[0]!).toBeLessThan(interval[1]!);
    }
    expect(slice.r2).toBeCloseTo(0.8949, 4);
    expect(slice.q2).toBeLessThan(slice.r2);
    expect(slice.rmse).toBeCloseTo(0.003577, 5);
    expect(slice.heldOut).toMatchObject({ trained: 15, tested: 9 });
    expect(slice.optimum.layers).toBeCloseTo(14.3, 1);
    expect(slice.optimum.dim).toBeCloseTo(64.2, 1);
  });

  it('never speaks of D or b on one slice', async () => {
    const { out } = await run(fit, panel, '--form', 'performance-law', '--json', '--bootstrap', '0');
    expect(Object.keys(JSON.parse(out).slices[0].coefficients).sort()).toEqual(['a', "a'", 'c', 'w1', 'w2']);
  });

  it('shows the forms side by side and the chosen one with intervals', async () => {
    const { out } = await run(fit, panel, '--bootstrap', '60');
    for (const form of ['performance-law', 'quadratic-log', 'saturating-power', 'log-linear'])
      expect(out).toContain(form);
    expect(out).toMatch(/\* +quadratic-log-cross/);
    expect(out).toMatch(/90 % interval/);
    expect(out).toMatch(/logistic needs training FLOPs/);
    expect(out).toMatch(/layers 12\.5/);
  });

  it('prints no value for what is not identifiable', async () => {
    const noise = [3, -2, 1, -3, 2, 0, 1, -1, 2];
    const path = csv(
      'noise.csv',
      'layers,dim,hr@10',
      noise.map((n, i) => [1 + (i % 3), 16 * 2 ** Math.floor(i / 3), 0.2 + 0.004 * n]),
    );
    const { out } = await run(fit, path, '--form', 'performance-law', '--bootstrap', '40');
    expect(out).toMatch(/^a +not identifiable/m);
    expect(out).toMatch(/^c +not identifiable/m);
  });

  it('fits each slice, and all together where there are several', async () => {
    const rows = ['a', 'b', 'c'].flatMap((slice, s) =>
      LAYERS.flatMap((layers) =>
        DIMS.map((dim) => [slice, layers, dim, 0.1 + 0.01 * Math.log(layers * dim) + 0.03 * s, 1e5 * 2 ** s]),
      ),
    );
    const path = csv('slices.csv', 'slice,layers,dim,hr@10,tokens', rows);
    const { out } = await run(fit, path, '--form', 'log-linear', '--json', '--bootstrap', '20');
    const { slices, joint } = JSON.parse(out);
    expect(slices.map((one: { slice: string }) => one.slice)).toEqual(['a', 'b', 'c']);
    expect(joint[0].dataTerms[0]).toMatchObject({ data: 'tokens' });
    expect(joint[0].r2).toBeCloseTo(1, 10);
    const one = await run(fit, path, '--slice', 'b', '--form', 'log-linear', '--json', '--bootstrap', '0');
    expect(JSON.parse(one.out).slices).toHaveLength(1);
  });

  it('compares slices as they are where one size was trained', async () => {
    const rows = Array.from({ length: 9 }, (_, i) => {
      const [tokens, apen] = [1e4 * 2 ** i, 2 + ((7 * i) % 5)];
      return [`s${i}`, 1, 32, 0.02 * Math.log(tokens / apen) + 0.0003 * ((3 * i) % 4), tokens, apen];
    });
    const path = csv('one-size.csv', 'slice,layers,dim,hr@10,tokens,apen', rows);
    const { out, err } = await run(fit, path);
    expect(err).toMatch(/no law of sizes: .*the slices are compared as they are/);
    expect(out).toMatch(/^9 slices at layers 1 dim 32: hr@10$/m);
    expect(out).toMatch(/does quality add to quantity\? yes: apen/);
    expect(out).toMatch(/apen: F \d+.*R2 with it .*the level falls as it grows/);
    const { slices, joint, levels } = JSON.parse((await run(fit, path, '--json')).out);
    expect([slices, joint]).toEqual([[], []]);
    expect(levels[0].levels).toHaveLength(9);
    // four slices tell nothing, and then it is a failure as ever
    const few = csv('few.csv', 'slice,layers,dim,hr@10,tokens,apen', rows.slice(0, 4));
    await expect(run(fit, few)).rejects.toThrow(/one value only/);
  });

  it('withholds a part and sets predicted against measured, as words and as JSON', async () => {
    const { out } = await run(fit, panel, '--holdout', 'layers', '--bootstrap', '40');
    expect(out).toMatch(/the largest layers withheld: 4 configurations, 20 fitted to/);
    expect(out).toMatch(/^ +32 +25 +0\.2912/m);
    expect(out).toMatch(/nearest, no law/);
    const json = await run(fit, panel, '--holdout', '25%', '--bootstrap', '40', '--json');
    const { slices, summary, holdout } = JSON.parse(json.out);
    expect(holdout).toEqual({ share: 0.25, seed: 0 });
    expect(slices[0].forms[0].runs).toHaveLength(6);
    expect(summary.at(-2)).toMatchObject({ form: 'chosen', runs: 6 });
    expect(summary.at(-1)).toMatchObject({ form: 'nearest', runs: 6, rmse: slices[0].nearest.rmse });
    await expect(run(fit, panel, '--holdout', 'most')).rejects.toMatchObject({ place: '--holdout' });
  });

  it('refuses what it cannot use, and names the place', async () => {
    await expect(run(fit, panel, '--form', 'cubic')).rejects.toMatchObject({ place: '--form' });
    await expect(run(fit, panel, '--slice', 'nowhere')).rejects.toThrow(/slice "nowhere" was never measured/);
    await expect(run(fit, panel, '--metric', 'mrr@5')).rejects.toThrow(/no observation has the metric/);
    await expect(run(fit, panel, '--bootstrap', 'many')).rejects.toMatchObject({ place: '--bootstrap' });
    await expect(run(fit, join(folder, 'none.csv'))).rejects.toThrow(/no such file/);
    const two = csv('two.csv', 'layers,dim,hr@10', [
      [1, 16, 0.1],
      [2, 16, 0.2],
    ]);
    await expect(run(fit, two)).rejects.toThrow(/at least 3 configurations; there are 2/);
  });
});

describe('perflaw predict', () => {
  it('names the best within a budget by exact counts, as JSON', async () => {
    const { code, out, err } = await run(
      predict,
      panel,
      ...['--params', '5M', '--items', '3416', '--json', '--bootstrap', '100', '--form', 'performance-law'],
    );
    expect(code).toBe(0);
    const report = JSON.parse(out);
    // the highest point of the law, and what is nearly as good for less
    expect([report.highest.layers, report.highest.dim]).toEqual([14, 65]);
    expect(report.best.flops ?? report.best.params).toBeLessThan(report.highest.params);
    expect(report.best.predicted).toBeGreaterThan(report.highest.predicted - 2 * report.decision.tolerance);
    expect(report.best.params).toBeLessThanOrEqual(5e6);
    expect(report.best.interval[0]).toBeLessThan(report.best.predicted);
    expect(report.optimum.dim).toBeCloseTo(64.2, 1);
    expect(err).toMatch(/counted for mamba4rec with 3416 items/);
  });

  it('says what to expect of configurations that are named, and refuses what names none', async () => {
    const budget = ['--params', '5M', '--items', '3416', '--bootstrap', '60'];
    const { out } = await run(
      predict,
      panel,
      ...budget,
      '--at',
      'layers=4,dim=60',
      '--at',
      'dim=200,layers=8',
    );
    expect(out.match(/asked for .*/g)).toEqual([
      expect.stringMatching(/ 4 +60 .* inside the measured range/),
      expect.stringMatching(/ 8 +200 .* EXTRAPOLATED: dim 2x/),
    ]);
    for (const wrong of ['4', 'layers=4', 'layers=4,dim=big', 'layers=4,dim=16,users=2'])
      await expect(run(predict, panel, ...budget, '--at', wrong)).rejects.toMatchObject({ place: '--at' });
  });

  it('says in words what a smaller model loses and what to run next', async () => {
    const { out } = await run(predict, panel, '--params', '5M', '--items', '3416', '--bootstrap', '60');
    expect(out).toMatch(/^Best hr@10 within 5\.00M parameters/);
    expect(out).toMatch(
      /\nExpect: hr@10 [\d.]+; a new run lies between [\d.]+ and [\d.]+ with 90 % probability\./,
    );
    expect(out).toMatch(/\nHow sure: /);
    expect(out).toMatch(/You need not spend it all/);
    expect(out).toMatch(/Next run:/);
    expect(out).not.toMatch(/Optimum of the law/);
    const words = ['--params', '5M', '--items', '3416', '--bootstrap', '60', '--verbose'];
    expect((await run(predict, panel, ...words)).out).toMatch(/Optimum of the law, whatever the cost/);
  });

  it('says of a run that opens an axis what it opens, also where it is the one that is named', async () => {
    const words = ['--params', '5M', '--items', '3416', '--bootstrap', '60', '--json'];
    const report = JSON.parse((await run(predict, panel, ...words)).out) as PredictionReport;
    const { layers, dim, slice } = report.best;
    const next = (shape: { layers: number; dim: number }, beyond: number) =>
      predictionText({
        ...report,
        best: { ...report.best, beyond: { layers: 1, dim: beyond } },
        next: {
          ...shape,
          slice,
          params: 1e6,
          before: null,
          after: null,
          opens: 'dim',
          price: 0.5,
          repeat: false,
        },
      }).match(/Next run: .*/)![0];
    expect(next({ layers, dim: dim + 8 }, 1)).toMatch(
      /^Next run: layers \d+, dim \d+ \(1,000,000 parameters, 50 % .*\): a third value of dim, without which nothing beyond/,
    );
    expect(next({ layers, dim }, 2)).toBe(
      'Next run: that one itself: a third value of dim; until it is there, what lies beyond the measured range of dim rests on what other slices tell.',
    );
  });

  it('explains what it needs of a table, and of a budget', async () => {
    await expect(run(predict, panel, '--params', '5M')).rejects.toMatchObject({
      remedy: expect.stringMatching(/--items N/),
    });
    await expect(run(predict, panel)).rejects.toThrow(/no budget/);
    await expect(run(predict, panel, '--params', 'lots')).rejects.toMatchObject({ place: '--params' });
    await expect(run(predict, panel, '--memory', '8 boxes')).rejects.toMatchObject({ place: '--memory' });
    await expect(run(predict, panel, '--items', '3416', '--params', '10k')).rejects.toThrow(
      /no configuration fits/,
    );
    await expect(run(predict, panel, '--items', '3416', '--hours', '1')).rejects.toThrow(
      /no times were measured/,
    );
  });
});

describe('a metric of which less is better', () => {
  const shapes = [1, 2, 4, 8].flatMap((layers) => [16, 32, 64, 128].map((dim) => [layers, dim] as const));
  const rows = shapes.map(([layers, dim]) => [
    layers,
    dim,
    1000 * dim + 12 * layers * dim * dim,
    Number((2 + 3 / layers ** 0.5 + 20 / dim ** 0.7 + 0.001 * ((7 * layers + dim) % 3)).toFixed(5)),
  ]);
  const losses = csv('loss.csv', 'layers,dim,params,loss', rows);

  it('is known by its name: the largest model that fits is best', async () => {
    const { out } = await run(predict, losses, '--params', '1M', '--bootstrap', '60', '--verbose');
    expect(out).toMatch(/^Best loss \(lower is better\) within 1\.00M parameters/);
    expect(out).toMatch(/\(the law falls\)/);
    const [, layers, dim] = /layers (\d+), dim (\d+)/.exec(out)!;
    expect(Number(layers) * Number(dim)).toBeGreaterThan(300);
    const json = JSON.parse(
      (await run(predict, losses, '--params', '1M', '--json', '--bootstrap', '60')).out,
    );
    expect(json.direction).toBe('minimize');
    expect(json.best.predicted).toBeLessThan(
      Math.min(...rows.filter((row) => row[2]! < 5e5).map((row) => row[3]!)),
    );
    expect(json.smallest.predicted).toBeGreaterThanOrEqual(json.best.predicted);
    expect(json.smallest.predicted).toBeLessThanOrEqual(json.best.interval[1]);
  });

  it('stands beside the law in fit, with its words', async () => {
    const { out, err } = await run(fit, losses, '--bootstrap', '0', '--form', 'saturating-power');
    expect(out).toMatch(/^all: loss \(lower is better\), 16 configurations/);
    expect(out).toContain('P = E + A / H^a + B / d^b');
    expect(out).toMatch(/layers none within reach: the law falls as far as was measured/);
    expect(err).toContain('note: columns: layers; dim; params; metric loss');
    expect(JSON.parse((await run(fit, losses, '--bootstrap', '0', '--json')).out).direction).toBe('minimize');
    expect((await run(fit, losses, '--bootstrap', '0', '--holdout', 'dim')).out).toContain(
      'loss (lower is better)',
    );
  });

  it('is turned by --minimize and --maximize; a name that tells nothing is larger-is-better, and that is said', async () => {
    const words = ['--params', '1M', '--bootstrap', '0', '--json'];
    const own = csv('own.csv', 'layers,dim,params,penalty', rows);
    const taken = await run(predict, own, '--metric', 'penalty', ...words);
    expect(taken.err).toContain('larger penalty is taken to be better; give --minimize where lower is');
    const turned = await run(predict, own, '--metric', 'penalty', '--minimize', ...words);
    expect(turned.err).not.toContain('is taken to be better');
    const [up, down] = [JSON.parse(taken.out), JSON.parse(turned.out)];
    expect(down.best.predicted).toBeLessThan(up.best.predicted);
    const loss = JSON.parse((await run(predict, losses, ...words)).out);
    expect(down.best).toEqual(loss.best);
    const maximised = JSON.parse((await run(predict, losses, '--maximize', ...words)).out);
    expect(maximised.best).toEqual(up.best);
    await expect(run(predict, losses, '--minimize', '--maximize', ...words)).rejects.toThrow(/either/);
  });

  it('and a column to leave out that is not there is refused', async () => {
    await expect(run(fit, losses, '--ignore', 'bs')).rejects.toThrow(/there is no column "bs"/);
  });
});

describe('a sweep over two learning rates', () => {
  const atTwoRates = (record: DoneRecord) =>
    [0.005, 0.001].map((learningRate, i): DoneRecord => {
      const masked = { ...record.result.test.masked };
      masked['ndcg@10'] = masked['ndcg@10']! * (1 - 0.3 * i);
      return {
        ...record,
        config: { ...record.config, training: { ...record.config.training, learningRate } },
        result: { ...record.result, test: { ...record.result.test, masked } },
      };
    });
  const sweep = storeSweep(folder, 'two-rates', { slices: [1], change: (all) => all.flatMap(atTwoRates) });
  const options = ['--form', 'log-linear', '--bootstrap', '0', '--json'];
  const panels = (out: string) =>
    JSON.parse(out).slices.map((one: PanelAnalysis) => [one.label, one.configurations, one.runs]);

  it('has a law for each, which is said', async () => {
    const { out, err } = await run(fit, sweep, ...options);
    expect(panels(out)).toEqual([
      ['all learningRate=0.005', 16, 16],
      ['all learningRate=0.001', 16, 16],
    ]);
    expect(err).toContain(
      'note: runs differ in learningRate (0.005, 0.001): 2 settings, each with laws of its own',
    );
    const said = await run(predict, sweep, '--params', '300k', ...options);
    expect(JSON.parse(said.out).groups).toHaveLength(2);
    expect(said.err).toContain('runs differ in learningRate');
  });

  it('has one law where that is asked for', async () => {
    const { out, err } = await run(fit, sweep, ...options, '--ignore', 'learningRate');
    expect(panels(out)).toEqual([['all', 16, 32]]);
    expect(err).not.toContain('learningRate');
    await expect(run(fit, sweep, '--ignore', 'learningRat')).rejects.toMatchObject({
      place: '--ignore',
      remedy: expect.stringContaining('Is "learningRate" meant?'),
    });
  });
});

describe('an option given twice', () => {
  const program = new URL('../../dist/cli.js', import.meta.url).pathname;
  const perflaw = (...words: string[]) =>
    spawnSync(process.execPath, [program, 'fit', panel, '--bootstrap', '0', ...words], { encoding: 'utf8' });

  it('is refused where it holds one value, and joined where it holds several', () => {
    const twice = perflaw('--metric', 'hr@10', '--metric', 'loss');
    expect(twice.status).toBe(2);
    expect(twice.stderr).toContain('--metric is given twice');
    const extra = csv('extra.csv', 'layers,dim,hr@10,a,b', [[1, 16, 0.1, 1, 2]]);
    const { stderr } = spawnSync(
      process.execPath,
      [program, 'fit', '--ignore', 'a', '--ignore', 'b', extra, '--bootstrap', '0'],
      { encoding: 'utf8' },
    );
    expect(stderr).toContain('columns not used: a, b');
  });
});

describe('what fit and predict load', () => {
  const root = new URL('../..', import.meta.url).pathname;
  /** Files and packages reached by static imports; types are erased and do not count. */
  function reached(entry: string): { files: Set<string>; packages: Set<string> } {
    const files = new Set<string>();
    const packages = new Set<string>();
    const visit = (path: string): void => {
      if (files.has(path)) return;
      files.add(path);
      const text = readFileSync(path, 'utf8');
      for (const [, types, clause, from] of text.matchAll(
        /^(?:import|export)(\s+type\b)?\s*(?:([^;'"]*?)\sfrom\s*)?['"]([^'"]+)['"]/gm,
      )) {
        const names = /\{([^}]*)\}/.exec(clause ?? '')?.[1];
        const onlyTypes =
          types !== undefined ||
          (names !== undefined &&
            !/^\s*\w/.test(clause ?? '') &&
            names
              .split(',')
              .filter((name) => name.trim())
              .every((name) => /^\s*type\s/.test(name)));
        if (onlyTypes) continue;
        if (from!.startsWith('.')) visit(resolve(dirname(path), from!.replace(/\.js$/, '.ts')));
        else packages.add(from!);
      }
    };
    visit(join(root, entry));
    return { files, packages };
  }

  it('as they run: neither tfjs nor vega nor DuckDB, to the end of the command', () => {
    const program = join(root, 'dist/cli.js');
    // CommonJS modules leave their paths in the cache, also when an ES module imports them
    const script = `
      import { createRequire } from 'node:module';
      process.argv.splice(1, 0, ${JSON.stringify(program)});
      await import(${JSON.stringify(program)});
      const loaded = Object.keys(createRequire(import.meta.url).cache);
      process.stderr.write('\\n' + JSON.stringify([loaded.length, loaded.filter((path) => /tensorflow|vega|duckdb|resvg/.test(path))]));`;
    const loaded = (...words: string[]) => {
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        ['--input-type=module', '--eval', script, '--', ...words],
        { encoding: 'utf8' },
      );
      expect(status).toBe(0);
      expect(stdout).toContain('hr@10');
      return JSON.parse(stderr.trimEnd().split('\n').at(-1)!) as [number, string[]];
    };
    for (const words of [
      ['fit', panel, '--bootstrap', '0'],
      ['predict', panel, '--bootstrap', '0', '--params', '1M', '--items', '3416'],
    ]) {
      const [count, heavy] = loaded(...words);
      expect(count).toBeGreaterThan(0);
      expect(heavy).toEqual([]);
    }
  });

  for (const entry of [
    'src/commands/fit.ts',
    'src/commands/predict.ts',
    'src/law/points/table.ts',
    'src/sweep/results/observations.ts',
    'src/law/trust/bootstrap-worker.ts',
  ])
    it(`${entry} reaches neither tfjs nor vega, DuckDB or the reader of sweep files`, () => {
      const { files, packages } = reached(entry);
      expect(files.size).toBeGreaterThan(3);
      expect([...packages].filter((name) => /tensorflow|vega|duckdb|resvg|zod|yaml/.test(name))).toEqual([]);
      const rooms = [...files].map((file) => relative(root, file).split('/')[1]);
      expect(rooms).not.toContain('kernels');
      expect(rooms).not.toContain('report');
    });
});
