/** Who may import whom: the linter refuses a wrong edge between rooms, and a circle, of types too. */
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BIOME = join(ROOT, 'node_modules', '@biomejs', 'biome', 'bin', 'biome');

/** A file and what it imports, both in src; docs/architecture.md says why not. */
const WRONG = [
  ['util/a.ts', 'data/slice.js'],
  ['data/a.ts', 'law/points/points.js'],
  ['kernels/a.ts', 'model/config.js'],
  ['model/a.ts', 'train/config.js'],
  ['train/a.ts', 'sweep/store/record.js'],
  ['law/a.ts', 'train/trainer.js'],
  ['law/points/a.ts', 'law/forms/terms.js'],
  ['law/points/a.ts', 'law/predict/predict.js'],
  ['law/points/table/a.ts', 'law/predict/predict.js'],
  ['law/points/table/a.ts', 'law/fitting/fit.js'],
  ['law/points/tuned/a.ts', 'law/fitting/fit.js'],
  ['law/forms/a.ts', 'law/fitting/fit.js'],
  ['law/forms/a.ts', 'law/trust/compare.js'],
  ['law/forms/a.ts', 'law/analyse.js'],
  ['law/fitting/a.ts', 'law/trust/compare.js'],
  ['law/fitting/a.ts', 'law/cost.js'],
  ['law/fitting/a.ts', 'sweep/store/record.js'],
  ['law/fitting/a.ts', 'law/forecast/axes.js'],
  ['law/forecast/a.ts', 'law/trust/compare.js'],
  ['law/forecast/a.ts', 'law/predict/predict.js'],
  ['law/trust/a.ts', 'law/analyse.js'],
  ['law/trust/a.ts', 'law/predict/candidates.js'],
  ['law/trust/a.ts', 'report/figure.js'],
  ['report/a.ts', 'kernels/backend.js'],
  ['report/drawing/a.ts', 'report/view/view.js'],
  ['report/drawing/a.ts', 'law/predict/predict.js'],
  ['report/view/a.ts', 'report/words/words.js'],
  ['report/view/a.ts', 'report/charts.js'],
  ['report/view/a.ts', 'law/fitting/inner.js'],
  ['report/words/a.ts', 'report/page/page.js'],
  ['report/charts/a.ts', 'report/page/page.js'],
  ['report/charts/a.ts', 'report/write.js'],
  ['report/page/a.ts', 'report/charts/forms.js'],
  ['report/page/a.ts', 'train/trainer.js'],
  ['sweep/run/a.ts', 'commands/sweep.js'],
  ['sweep/run/a.ts', 'sweep/init/init.js'],
  ['sweep/file/a.ts', 'sweep/init/init.js'],
  ['sweep/init/a.ts', 'commands/init.js'],
  ['sweep/store/a.ts', 'sweep/file/schema.js'],
  ['sweep/store/a.ts', 'sweep/run/trial.js'],
  ['sweep/store/a.ts', 'sweep/results/observations.js'],
  ['sweep/store/a.ts', 'sweep/launch/launcher.js'],
  ['sweep/launch/a.ts', 'sweep/run/trial.js'],
  ['sweep/launch/a.ts', 'sweep/file/resolve.js'],
  ['sweep/launch/slurm/a.ts', 'sweep/launch/local/local.js'],
  ['sweep/launch/local/a.ts', 'sweep/launch/slurm/slurm.js'],
  ['sweep/launch/slurm/a.ts', 'sweep/run/trial.js'],
  ['sweep/file/a.ts', 'sweep/store/layout.js'],
  ['sweep/file/a.ts', 'sweep/run/halving.js'],
  ['sweep/results/a.ts', 'sweep/run/halving.js'],
  ['sweep/results/a.ts', 'sweep/file/schema.js'],
  ['sweep/store/a.ts', 'report/gather.js'],
] as const;

const RIGHT = [
  ['law/points/table/b.ts', 'law/points/settings.js'],
  ['law/forms/b.ts', 'law/points/direction.js'],
  ['law/fitting/b.ts', 'law/forms/terms.js'],
  ['law/trust/b.ts', 'law/fitting/fit.js'],
  ['law/b.ts', 'law/trust/compare.js'],
  ['law/b.ts', 'model/size.js'],
  ['report/view/b.ts', 'law/analyse.js'],
  ['report/charts/b.ts', 'report/words/words.js'],
  ['report/page/b.ts', 'report/drawing/figure.js'],
  ['sweep/store/b.ts', 'sweep/launch/batch-jobs.js'],
  ['sweep/launch/slurm/b.ts', 'sweep/store/store.js'],
  ['sweep/launch/slurm/b.ts', 'sweep/launch/launcher.js'],
  ['sweep/file/b.ts', 'sweep/launch/launchers.js'],
  ['sweep/results/b.ts', 'sweep/store/store.js'],
  ['sweep/run/b.ts', 'sweep/file/plan.js'],
  ['sweep/run/b.ts', 'sweep/launch/launchers.js'],
  ['sweep/run/b.ts', 'sweep/results/index-row.js'],
  ['sweep/init/b.ts', 'sweep/run/start.js'],
] as const;

let folder: string;
let complaints: string[];

/** One line a complaint, such as `noRestrictedImports src/sweep/store/a0.ts`. */
function lint(root: string, ...words: string[]): string[] {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [BIOME, 'lint', '--reporter=github', '--max-diagnostics=none', ...words],
    { cwd: root, encoding: 'utf8' },
  );
  const found = [...stdout.matchAll(/^::error title=lint\/\w+\/(\w+),file=([^,]+)/gm)];
  // It ends with 1 where it complains, and where it could not run.
  if (status !== 0 && found.length === 0) throw new Error(stdout + stderr);
  return found.map(([, rule, file]) => `${rule} ${relative(root, resolve(root, file!))}`);
}

const write = (path: string, text: string) => {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const name = (file: string, index: number) => `src/${file.replace('.ts', `${index}.ts`)}`;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'perflaw-rooms-')));
  copyFileSync(join(ROOT, '.biome.json'), join(folder, '.biome.json'));
  for (const edges of [WRONG, RIGHT])
    edges.forEach(([file, target], i) => {
      const path = relative(dirname(file), target);
      write(name(file, i), `export type { Some } from '${path.startsWith('.') ? path : `./${path}`}';\n`);
    });
  write('src/util/ring-a.ts', `import type { B } from './ring-b.js';\nexport type A = { b: B };\n`);
  write('src/util/ring-b.ts', `import type { A } from './ring-a.js';\nexport type B = { a: A };\n`);
  complaints = lint(folder, '--vcs-enabled=false', 'src');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each(WRONG.map(([file, target], i) => [file, target, i] as const))(
  '%s may not import %s',
  (file, _, i) => {
    expect(complaints).toContain(`noRestrictedImports ${name(file, i)}`);
  },
);

it.each(RIGHT.map(([file, target], i) => [file, target, i] as const))('%s may import %s', (file, _, i) => {
  expect(complaints.filter((line) => line.endsWith(name(file, i)))).toEqual([]);
});

it('two files that import types of each other are a circle', () => {
  expect(complaints).toContain('noImportCycles src/util/ring-a.ts');
});

it('the source has no wrong edge and no circle', () => {
  const rules = ['style/noRestrictedImports', 'suspicious/noImportCycles'];
  expect(lint(ROOT, ...rules.map((rule) => `--only=${rule}`), 'src')).toEqual([]);
});

it('no room of the source has more than fifteen files side by side', () => {
  const folders = readdirSync(join(ROOT, 'src'), { recursive: true, withFileTypes: true });
  const counts = new Map<string, number>();
  for (const entry of folders)
    if (entry.isFile()) counts.set(entry.parentPath, (counts.get(entry.parentPath) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 15)).toEqual([]);
});
