/**
 * `npm run test:offline`: packs the kit, unpacks it in an empty root that holds a shell, the C library and nothing else, without
 * network and without Node, and there runs doctor, a sweep, bench and conformance. Needs root, for chroot and unshare; elsewhere it
 * says so and does nothing.
 *
 *   npm run test:offline -- [--node PROGRAM (of the kit)] [--archive FILE (already packed)] [--keep]
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    node: { type: 'string', default: process.execPath },
    archive: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
});

const reason =
  process.platform !== 'linux' || process.arch !== 'x64'
    ? 'the kit is for Linux on x64'
    : process.getuid() !== 0
      ? 'chroot and unshare need root'
      : spawnSync('unshare', ['-n', 'true']).status !== 0
        ? 'unshare -n is refused here'
        : undefined;
if (reason) {
  console.log(`skipped: ${reason}`);
  process.exit(0);
}

const CHROOT = execFileSync('sh', ['-c', 'command -v chroot'], { encoding: 'utf8' }).trim();
const folder = mkdtempSync(join(tmpdir(), 'perflaw-offline-test-'));
try {
  const archive = values.archive ?? join(folder, 'kit.tar.gz');
  const cases = existsSync('../shared/fixtures') ? ['--cases', '../shared/fixtures'] : [];
  if (!values.archive)
    execFileSync(process.execPath, ['offline/pack.mjs', '--out', archive, '--node', values.node, ...cases], {
      stdio: 'inherit',
    });
  const root = join(folder, 'root');
  bareRoot(root);
  execFileSync('tar', ['-xf', archive, '-C', root]);
  const [kit] = readdirSync(root).filter((name) => name.startsWith('perflaw-'));
  writeFileSync(
    join(root, kit, 'small.yaml'),
    'name: small\ndata: synthetic\ngrid: {dim: [8, 16]}\nmodel: {layers: 1, dState: 4, maxLength: 20}\ntraining: {epochs: 1}\nbackend: wasm\nworkers: 1\n',
  );

  const doctor = JSON.parse(inside(root, kit, ['./perflaw', 'doctor', '--json']));
  const state = Object.fromEntries(doctor.map(({ what, state }) => [what, state]));
  assert.equal(state['Backend wasm'], 'ok');
  assert.equal(state['Backend webgpu'], 'missing', 'no driver, so no GPU, and no failure');
  console.log('doctor: wasm works, the GPU is missing');

  inside(root, kit, ['./perflaw', 'sweep', 'small.yaml']);
  const results = JSON.parse(inside(root, kit, ['./perflaw', 'results', 'small', '--json']));
  const trials = results.trials ?? results.rows ?? results;
  assert.equal(trials.length, 2);
  console.log(`sweep: ${trials.length} trials, queried by DuckDB`);

  const bench = JSON.parse(
    inside(root, kit, [
      './perflaw',
      'bench',
      '--backend',
      'wasm',
      '--model',
      'mamba4rec',
      '--dim',
      '8',
      '--max-length',
      '20',
      '--items',
      '50',
      '--steps',
      '1',
      '--json',
    ]),
  );
  assert.ok(bench.steps[0].tokensPerSecond > 0 && Number.isFinite(bench.steps[0].loss));
  console.log('bench: runs');

  inside(root, kit, [
    './check-gpu',
    '--out',
    'checked',
    '--backend',
    'wasm',
    '--parts',
    'doctor,auto,conformance,bench,peers',
    '--dims',
    '16',
    '--rows',
    '1',
    '--length',
    '20',
    '--items',
    '50',
    '--steps',
    '1',
  ]);
  for (const file of ['gpu.json', 'gpu.md']) assert.ok(existsSync(join(root, kit, 'checked', file)));
  console.log('check-gpu: leaves gpu.json and gpu.md');
  console.log(`passed; the archive (gzip) is ${(statSync(archive).size / 2 ** 20).toFixed(1)} MiB`);
} finally {
  if (values.keep) console.log(folder);
  else rmSync(folder, { recursive: true, force: true });
}

/** Runs a program of the kit in the bare root, without network; its output. */
function inside(root, kit, words) {
  const { status, stdout, stderr } = spawnSync(
    'unshare',
    ['-n', CHROOT, root, '/bin/sh', '-c', `cd /${kit} && exec "$@"`, 'sh', ...words],
    {
      env: { PATH: '/bin', HOME: '/tmp' },
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  );
  assert.equal(status, 0, `${words.join(' ')} ended with ${status}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** A root with a shell, what the kit's scripts call, the libraries of both and of Node, and the devices that any system has. */
function bareRoot(root) {
  for (const path of ['bin', 'tmp', 'dev', 'proc']) mkdirSync(join(root, path), { recursive: true });
  const copy = (path) => {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    if (!existsSync(target)) copyFileSync(realpathSync(path), target);
  };
  const libraries = (program) => {
    for (const [path] of execFileSync('ldd', [program], { encoding: 'utf8' }).matchAll(/\/\S+\.so\S*/g))
      copy(path);
  };
  for (const name of ['sh', 'readlink', 'dirname']) {
    const program = realpathSync(
      execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(),
    );
    copyFileSync(program, join(root, 'bin', name));
    libraries(program);
  }
  libraries(values.node);
  for (const [name, minor] of [
    ['null', 3],
    ['zero', 5],
    ['random', 8],
    ['urandom', 9],
  ])
    execFileSync('mknod', ['-m', '666', join(root, 'dev', name), 'c', '1', String(minor)]);
}
