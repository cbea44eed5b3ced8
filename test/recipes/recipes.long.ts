/**
 * Recipes of docs/: followed to the letter in a copy of the source, they compile, and the tests that they bring pass. A block after
 * "`path`" is a new file, or one that stands as it is; a diff is applied where its lines are found.
 */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseDescriptor } from '../../src/data/fetch/catalogue.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  'docs/own-model.md',
  ...readdirSync(join(ROOT, 'docs', 'recipes'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/recipes/${name}`),
];

interface Block {
  path: string;
  language: string;
  text: string;
}

/** Code blocks with the last path in backquotes before them that names a file of the project. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const blocks: Block[] = [];
  let before = 0;
  for (const match of text.matchAll(/^```(ts|diff|yaml)\n([\s\S]*?)^```$/gm)) {
    const words = text.slice(before, match.index);
    const path = [...words.matchAll(/`((?:src|test|datasets)\/[\w./-]+\.(?:ts|yaml))`/g)].at(-1)?.[1];
    if (!path) throw new Error(`${page}: a block without the path of its file`);
    blocks.push({ path, language: match[1]!, text: match[2]! });
    before = match.index + match[0].length;
  }
  return blocks;
}

/** The text after a diff whose hunks are parted by a line ` ...`; every hunk must be found, once. */
function patched(text: string, diff: string): string {
  return diff.split(/^ \.\.\.\n/m).reduce((now, hunk) => {
    const lines = hunk.trimEnd().split('\n');
    const side = (sign: string) =>
      lines
        .filter((line) => line[0] === ' ' || line[0] === sign || line === '')
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    const old = side('-');
    // Lines that are only added stand at the hunk's first line that is there.
    if (now.split(old).length !== 2) throw new Error(`found ${now.split(old).length - 1} times:\n${old}`);
    return now.replace(old, () => side('+'));
  }, text);
}

const blocks = new Map(PAGES.map((page) => [page, blocksOf(page)]));
const all = [...blocks.values()].flat();
const testsOf = (page: string) =>
  blocks
    .get(page)!
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.test.ts') && !existsSync(join(ROOT, path)));

let folder: string;
let said: string;

function run(...words: string[]): { status: number | null; out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PERFLAW_HOME: folder, NO_COLOR: '1', VITEST: undefined },
  });
  return { status, out: stdout + stderr };
}

/** Runs tests of the copy with the vitest of the project. */
function runTests(...words: string[]): { status: number | null; out: string } {
  return run('node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', ...words);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'perflaw-recipes-'));
  for (const name of ['src', 'test', 'sweeps', 'package.json', 'tsconfig.json'])
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  for (const { path, language, text } of all) {
    const file = join(folder, path);
    if (language === 'diff') writeFileSync(file, patched(readFileSync(file, 'utf8'), text));
    else if (existsSync(file)) expect(text, `${path} as a page shows it`).toBe(readFileSync(file, 'utf8'));
    else {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  const asc = [
    '--optimizeLevel',
    '1',
    '--runtime',
    'stub',
    '--importMemory',
    '--enable',
    'simd',
    '--noAssert',
  ];
  const kernels = run(
    ...['node_modules/assemblyscript/bin/asc.js', 'src/kernels/wasm/assembly/index.ts', ...asc],
    ...['--outFile', 'dist/kernels.wasm'],
  );
  cpSync(join(folder, 'dist', 'kernels.wasm'), join(folder, 'dist', 'kernels-relaxed.wasm'));
  const types = run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json');
  const tests = run('node_modules/typescript/bin/tsc', '--noEmit', '-p', 'test/tsconfig.json');
  said = [kernels, types, tests].map(({ status, out }) => `${status} ${out}`).join('');
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('recipes', () => {
  it('compile, all of them together', () => {
    expect(said).toBe('0 0 0 ');
  });

  it.each(PAGES.filter((page) => testsOf(page).length > 0))(
    '%s: its own tests pass',
    { timeout: 180_000 },
    (page) => {
      const { status, out } = runTests(...testsOf(page));
      expect(status, out).toBe(0);
    },
  );

  it('docs/own-model.md: the command trains, and the size is the one that is built', {
    timeout: 240_000,
  }, () => {
    const page = readFileSync(join(ROOT, 'docs/own-model.md'), 'utf8');
    const words = /^npx perflaw (train --model plain-mamba .*)$/m.exec(page)![1]!.split(' ');
    const trained = run('dist/cli.js', ...words, '--d-state', '2', '--max-length', '10');
    expect(trained.out).toContain('plain-mamba, ');
    expect(trained.status).toBe(0);
    const size = runTests('test/model/packing.test.ts', '-t', 'plain-mamba');
    expect(size.out).toMatch(/Tests {2}[1-9]\d* passed/);
  });

  it('docs/recipes/launcher.md: the command, the sweep file and its schema know the launcher', () => {
    const file = join(folder, 'tiny.yaml');
    writeFileSync(
      file,
      `data: {synthetic: {users: 60, items: 30, meanLength: 10}}
model: {dim: 8, dState: 2, maxLength: 10}
training: {epochs: 1}
nice: {priority: 5}
`,
    );
    const { status, out } = run('dist/cli.js', 'sweep', file, '--launch', 'nice');
    expect(out).toContain('1 done');
    expect(status).toBe(0);
    expect(run('dist/cli.js', 'sweep', file, '--print-config').out).toMatch(
      /nice +\{"priority":5\} +\S+:4:7/,
    );
    expect(run('dist/cli.js', 'sweep', file, '--launch', 'best').out).toContain('Known: local, slurm, nice.');
  });

  it('docs/recipes/public-data-set.md: the descriptor is read', async () => {
    const [block] = blocks.get('docs/recipes/public-data-set.md')!;
    const descriptor = await parseDescriptor(block!.text, block!.path);
    expect(descriptor).toMatchObject({ name: 'shop-clicks', read: { timeUnit: 'ms' } });
    expect(run('dist/cli.js', 'data', 'list').out).toContain('shop-clicks');
  });
});
