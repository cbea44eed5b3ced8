/** `perflaw doctor`: what is installed, which backends open and compute right, what is missing and what adds it. */
import { accessSync, constants, existsSync } from 'node:fs';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import type { Argv } from 'yargs';
import type { DeviceDescription } from '../kernels/webgpu/device/dawn.js';
import { describeError, ExitCode, UserError } from '../util/errors.js';
import { formatBytes } from '../util/format.js';
import { formatTable } from '../util/table.js';
import { workspace } from '../util/workspace.js';
import { type Arguments, print, printJson } from './options/command.js';

interface Finding {
  what: string;
  state: 'ok' | 'missing' | 'broken';
  detail: string;
  /** The command or setting that mends it. */
  remedy?: string;
}

/** Where a first `node` is too old: the numeric packages need it. */
const MINIMUM_NODE = [20, 19];

export function options(yargs: Argv): Argv {
  return yargs.example('$0 doctor --json', 'The findings as data, for a bug report');
}

export async function run(args: Arguments): Promise<number> {
  const findings = [checkNode(), machine(), checkWorkspace(), ...(await checkBackends())];
  if (args.json) printJson(findings);
  else {
    print(
      formatTable(
        ['', 'state', ''],
        findings.map((f) => [f.what, f.state, f.detail]),
      ),
    );
    for (const { what, remedy } of findings) if (remedy) print(`\n${what}: ${remedy}`);
  }
  return findings.some((f) => f.state === 'broken') ? ExitCode.internal : ExitCode.ok;
}

function checkNode(): Finding {
  const [major, minor] = process.versions.node.split('.').map(Number) as [number, number];
  const enough = major > MINIMUM_NODE[0]! || (major === MINIMUM_NODE[0] && minor >= MINIMUM_NODE[1]!);
  const detail = `${process.version} on ${process.platform}-${process.arch}`;
  return enough
    ? { what: 'Node', state: 'ok', detail }
    : { what: 'Node', state: 'broken', detail, remedy: `Install Node ${MINIMUM_NODE.join('.')} or newer.` };
}

function machine(): Finding {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const detail = `${model}, ${availableParallelism()} cores, ${formatBytes(freemem())} of ${formatBytes(totalmem())} free`;
  return { what: 'Machine', state: 'ok', detail };
}

function checkWorkspace(): Finding {
  const { root } = workspace();
  try {
    if (!existsSync(root)) throw new Error('it does not exist');
    accessSync(root, constants.W_OK);
    return { what: 'Workspace', state: 'ok', detail: root };
  } catch (error) {
    return {
      what: 'Workspace',
      state: 'broken',
      detail: `${root}: ${describeError(error)}`,
      remedy: 'Work in a folder that you may write to, or set PERFLAW_HOME to one.',
    };
  }
}

/** Opens every backend and holds one product against what it must be. */
async function checkBackends(): Promise<Finding[]> {
  const { BACKENDS } = await import('../kernels/choose.js');
  const { currentDevice, hasWideVectors, openBackend, simdVariant } = await import('../kernels/backend.js');
  const { describeTensorflow, findTensorflow } = await import('../kernels/tensorflow.js');
  const { matMul } = await import('../kernels/matmul/op.js');
  const tf = await import('@tensorflow/tfjs');
  const findings: Finding[] = [];
  for (const name of BACKENDS) {
    const what = `Backend ${name}`;
    try {
      await openBackend(name);
      const values = tf.tidy(() => [...matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).dataSync()]);
      if (values[0] !== 11) throw new Error(`1*3 + 2*4 came out as ${values[0]}`);
      let detail = 'computes right';
      if (name === 'wasm')
        detail = [
          hasWideVectors() ? '256-bit SIMD' : 'SIMD',
          simdVariant() === 'relaxed' ? ' with fused multiply-add' : '',
        ].join('');
      if (name === 'webgpu') detail = describeDevice(currentDevice()!);
      if (name === 'tensorflow') {
        const { libtensorflow, device, package: from } = describeTensorflow();
        detail = `libtensorflow ${libtensorflow} on the ${device}, from ${from}`;
      }
      findings.push({ what, state: 'ok', detail });
    } catch (error) {
      // Only the backends that come inside the package must be there; a GPU and libtensorflow are the user's to add.
      const remedy = error instanceof UserError && error.remedy ? error.remedy : 'Run `npm ci` again.';
      const absent =
        name === 'tensorflow' ? !findTensorflow() : name === 'webgpu' && error instanceof UserError;
      const state = absent ? 'missing' : 'broken';
      findings.push({ what, state, detail: (error as Error).message, remedy });
    }
  }
  return findings;
}

function describeDevice({ name, software, subgroups, limits }: DeviceDescription): string {
  return [
    name,
    software ? 'no GPU but a program that imitates one, which `--backend auto` never takes' : 'a GPU',
    `${limits.maxComputeInvocationsPerWorkgroup} threads and ${formatBytes(limits.maxComputeWorkgroupStorageSize)} shared a workgroup`,
    `${limits.maxStorageBuffersPerShaderStage} buffers a kernel, of ${formatBytes(limits.maxStorageBufferBindingSize)} at most`,
    subgroups ? 'subgroups' : 'no subgroups',
  ].join('; ');
}
