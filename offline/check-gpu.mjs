/**
 * All checks of this machine's GPU in one go: what is there, numbers of the published code, every kernel against float64, what
 * `auto` takes, an adapter that refuses, throughput of each model beside PyTorch. Writes gpu.json after every part, so that what was
 * done is kept whatever happens, and gpu.md at the end.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { page } from './page.mjs';

const PARTS = ['doctor', 'refusal', 'auto', 'conformance', 'kernels', 'bench', 'peers'];
const { values } = parseArgs({
  options: {
    out: { type: 'string', default: 'gpu-check' },
    backend: { type: 'string', default: 'webgpu' },
    cases: { type: 'string' },
    parts: { type: 'string', default: PARTS.join(',') },
    dims: { type: 'string', default: '64,256,1024' },
    rows: { type: 'string', default: '8,64' },
    layers: { type: 'string', default: '1' },
    steps: { type: 'string', default: '20' },
    length: { type: 'string', default: '200' },
    items: { type: 'string', default: '3416' },
    runs: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '600' },
    python: { type: 'string', default: 'python3' },
    app: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(`./check-gpu [--out FOLDER] [--parts ${PARTS.join(',')}] [--cases FOLDER]
            [--dims 64,256,1024] [--rows 8,64] [--layers 1] [--steps 20] [--length 200] [--items 3416]
            [--runs 8] (examples a kernel) [--seconds 600] (of kernels, and of PyTorch) [--python python3]`);
  process.exit(0);
}
const here = import.meta.dirname;
const app = values.app ? resolve(values.app) : resolve(here, '..');
const cli = join(app, 'dist/cli.js');
const out = resolve(values.out);
mkdirSync(out, { recursive: true });
const numbers = (text) => text.split(',').map(Number);
const shapes = ['mamba4rec', 'tim4rec', 'ssd4rec'].flatMap((model) =>
  numbers(values.dims).flatMap((dim) => numbers(values.rows).map((rows) => ({ model, dim, rows, layers: Number(values.layers) }))),
);
const result = { made: new Date().toISOString(), perflaw: JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')).version, node: process.version, options: values, seconds: {}, parts: {} };

/** Runs a program to its end; lines of its output go to `line` as they come. */
function run(program, args, { line, env = {}, cwd, seconds = Number(values.seconds) } = {}) {
  return new Promise((done) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => child.kill('SIGTERM'), 1000 * (seconds + 15));
    child.on('error', (error) => {
      stderr += error.message;
    });
    if (line) createInterface({ input: child.stdout }).on('line', line);
    else child.stdout.on('data', (data) => { stdout += data; });
    child.stderr.on('data', (data) => { stderr += data; });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, stdout, stderr: stderr.slice(-4000) });
    });
  });
}

const perflaw = (args, options) => run(process.execPath, [cli, ...args], options);
const asJson = (text) => { try { return JSON.parse(text); } catch { return undefined; } };
const parseLine = (list) => (text) => { const value = asJson(text); if (value) list.push(value); };

const work = {
  async doctor() {
    const { stdout, stderr } = await perflaw(['doctor', '--json']);
    const nvidia = await run('nvidia-smi', ['--query-gpu=name,driver_version,memory.total', '--format=csv,noheader'], {});
    return { findings: asJson(stdout), stderr, nvidiaSmi: nvidia.stdout.trim() };
  },
  async conformance() {
    const folder = values.cases ?? resolve(app, '../cases');
    if (!existsSync(folder)) return { skipped: 'no folder of cases: pack with --cases, or name one with --cases' };
    const { stdout, stderr, code } = await perflaw(['conformance', folder, '--backend', values.backend, '--json']);
    return { code, ...(asJson(stdout) ?? { stderr }) };
  },
  async kernels() {
    const tests = [];
    const { code, stderr } = await run(process.execPath, [join(here, 'kernels.mjs'), values.backend, values.runs, values.seconds], { line: parseLine(tests) });
    return { code, tests, ...(stderr && { stderr }) };
  },
  /** What `auto` takes, and that a small training on it ends. */
  async auto() {
    const folder = mkdtempSync(join(tmpdir(), 'perflaw-auto-'));
    const { stdout, stderr, code } = await perflaw(['train', '--backend', 'auto', '--epochs', '1', '--dim', '16', '--d-state', '8', '--max-length', '50', '--json'], { cwd: folder, env: { PERFLAW_HOME: folder } });
    rmSync(folder, { recursive: true, force: true });
    const trained = asJson(stdout);
    return { code, backend: trained?.backend ?? trained?.result?.backend, device: trained?.device ?? trained?.result?.device, stderr };
  },
  /** An adapter that refuses what is asked of it: a message that names it, a remedy, and another try that works. */
  async refusal() {
    const program = `
      const { findAdapter } = await import('./dist/kernels/webgpu/device/dawn.js');
      const { openBackend } = await import('./dist/kernels/backend.js');
      const { adapter } = await findAdapter();
      const request = adapter.requestDevice.bind(adapter);
      adapter.requestDevice = (wanted) => request({ ...wanted, requiredLimits: { ...wanted.requiredLimits, maxBufferSize: 2 ** 52 } });
      let message; let remedy;
      await openBackend('webgpu').catch((error) => { message = error.message; remedy = error.remedy; });
      console.log(JSON.stringify({ message, remedy }));`;
    const { stdout, stderr, code } = await run(process.execPath, ['--input-type=module', '-e', program], { cwd: app });
    return { code, ...asJson(stdout), stderr };
  },
  async bench() {
    const all = { steps: [], errors: [] };
    // A process a model, so that one that fails does not take the others along.
    for (const model of ['mamba4rec', 'tim4rec', 'ssd4rec']) {
      const { stdout, stderr, code } = await perflaw(['bench', '--backend', values.backend, '--model', model, '--dim', ...numbers(values.dims).map(String), '--rows', ...numbers(values.rows).map(String), '--layers', values.layers, '--steps', values.steps, '--max-length', values.length, '--items', values.items, '--json']);
      const found = asJson(stdout);
      if (found) Object.assign(all, { ...found, steps: [...all.steps, ...found.steps] });
      else all.errors.push({ model, code, stderr });
    }
    return all;
  },
  async peers() {
    const lines = [];
    const command = { shapes: shapes.filter(({ model }) => model !== 'ssd4rec'), length: Number(values.length), items: Number(values.items), seconds: Number(values.seconds) };
    const { code, stderr } = await run(values.python, [join(here, 'peer_bench.py'), JSON.stringify(command)], { line: parseLine(lines), env: { PYTHONDONTWRITEBYTECODE: '1' } });
    if (lines.length === 0) return { skipped: `no PyTorch in ${values.python}: ${stderr.trim().split('\n').at(-1)}` };
    const [about, ...rest] = lines;
    return { code, ...about, ceilings: rest.find((line) => line.ceilings)?.ceilings, steps: rest.filter((line) => line.model) };
  },
};

for (const part of values.parts.split(',')) {
  if (!work[part]) {
    console.error(`check-gpu: there is no part '${part}'; choose of ${PARTS.join(', ')}`);
    process.exit(2);
  }
  const begun = performance.now();
  result.parts[part] = await work[part]();
  result.seconds[part] = Math.round((performance.now() - begun) / 100) / 10;
  writeFileSync(join(out, 'gpu.json'), `${JSON.stringify(result, null, 1)}\n`);
  console.log(`${part}: ${result.seconds[part]} s`);
}
const text = page(result);
writeFileSync(join(out, 'gpu.md'), text);
console.log(`\n${text}`);
const { conformance, kernels, bench } = result.parts;
const failed = (conformance?.code ?? 0) !== 0 || (kernels?.code ?? 0) !== 0 || (bench?.errors.length ?? 0) > 0;
process.exit(failed ? 1 : 0);
