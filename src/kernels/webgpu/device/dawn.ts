/**
 * Dawn, Chromium's implementation of WebGPU, in Node (npm package `webgpu`): loaded when a GPU is asked for, never before.
 * Says which adapter there is, whether it is a GPU or a program that imitates one, and why there is none.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { UserError } from '../../../util/errors.js';

/** What we use of the package's module. */
interface Dawn {
  create(options: string[]): GPU;
  /** `GPUBuffer`, `GPUBufferUsage` and the like, which browsers have as globals. */
  globals: Record<string, unknown>;
}

/** An adapter in words and numbers, for results and `perflaw doctor`. */
export interface DeviceDescription {
  /** For instance `NVIDIA H100 (nvidia, hopper)`. */
  name: string;
  /** True where a processor imitates a GPU (SwiftShader, llvmpipe, WARP): right numbers, slowly. */
  software: boolean;
  limits: Record<(typeof LIMITS)[number], number>;
  subgroups: boolean;
}

/** Limits that are asked of the device as high as its adapter goes. */
export const LIMITS = [
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
  'maxStorageBuffersPerShaderStage',
  'maxStorageBufferBindingSize',
  'maxBufferSize',
] as const;

const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i;

export interface Adapter {
  adapter: GPUAdapter;
  device: DeviceDescription;
}

let found: Promise<Adapter> | undefined;
/** As a rule one a process. Collected as garbage, it would take what came from it along and crash the process. */
const instances: GPU[] = [];

/**
 * The machine's most able adapter; asked for once.
 * @throws UserError when Dawn is not installed or does not load, or when there is no adapter, with what mends it.
 */
export function findAdapter(): Promise<Adapter> {
  found ??= search();
  return found;
}

/** Lets the next findAdapter look again: an adapter gives one device. */
export function forgetAdapter(): void {
  found = undefined;
}

async function search(): Promise<Adapter> {
  if (instances.length === 0) instances.push(await start());
  const wanted: GPURequestAdapterOptions = { powerPreference: 'high-performance' };
  let adapter = await instances.at(-1)!.requestAdapter(wanted);
  if (!adapter && useHeadlessDriver()) {
    instances.push(await start());
    adapter = await instances.at(-1)!.requestAdapter(wanted);
  }
  if (!adapter) throw noAdapter();
  return { adapter, device: describe(adapter) };
}

async function start(): Promise<GPU> {
  const { create, globals } = await load();
  Object.assign(globalThis, globals);
  // No program of ours or of tfjs reads shared memory that it has not written, and clearing it costs: in each workgroup,
  // and on SwiftShader in the compiler, which writes out one store for every element (8 s for a scan instead of 0.2 s).
  // Times of dispatches are wanted as they are, not in steps of a tenth of a millisecond, as browsers give them.
  return create([
    'enable-dawn-features=disable_workgroup_init',
    'disable-dawn-features=timestamp_quantization',
  ]);
}

/**
 * NVIDIA's description of its Vulkan driver names libGLX_nvidia, which does not start on machines without a display (containers, nodes
 * of a cluster); libEGL_nvidia is the same driver without one. Tells the loader of it, where the user has not chosen a driver.
 */
function useHeadlessDriver(): boolean {
  const { env } = process;
  if (env['VK_DRIVER_FILES'] || env['VK_ICD_FILENAMES'] || !existsSync('/dev/nvidiactl')) return false;
  const ICD = { library_path: 'libEGL_nvidia.so.0', api_version: '1.3.277' };
  const path = join(mkdtempSync(join(tmpdir(), 'perflaw-vulkan-')), 'nvidia_headless.json');
  writeFileSync(path, JSON.stringify({ file_format_version: '1.0.1', ICD }));
  process.once('exit', () => rmSync(dirname(path), { recursive: true, force: true }));
  env['VK_ICD_FILENAMES'] = path;
  return true;
}

async function load(): Promise<Dawn> {
  // By a variable: the package's own declarations would clash with those that come with tfjs.
  const name = 'webgpu';
  try {
    return (await import(name)) as Dawn;
  } catch (error) {
    throw explainLoad(error as Error);
  }
}

/** Why Dawn did not load, in words that a person can act on. */
export function explainLoad(error: Error, platform = `${process.platform}-${process.arch}`): UserError {
  const { message } = error;
  const failed = (what: string, remedy: string) => new UserError(what, { remedy, cause: error });
  const glibc = /GLIBC_(\d+\.\d+)' not found/.exec(message);
  if (glibc)
    return failed(
      `the backend 'webgpu' needs glibc ${glibc[1]} or newer (Debian 12, Ubuntu 22.04, RHEL 9)`,
      'Use --backend wasm here, or a newer system.',
    );
  if (/Cannot find package 'webgpu'/.test(message))
    return failed(
      "the backend 'webgpu' needs a package that is not installed",
      'Run `npm install webgpu@0.6.2`, or use --backend wasm.',
    );
  if (/dawn\.node/.test(message) && /Cannot find module/.test(message))
    return failed(`the package 'webgpu' has no build for ${platform}`, 'Use --backend wasm.');
  return failed(
    `the package 'webgpu' does not load: ${message}`,
    'Run `npm ci` again, or use --backend wasm.',
  );
}

function noAdapter(): UserError {
  return new UserError('no GPU adapter was found', {
    remedy:
      process.platform === 'linux'
        ? 'Install the Vulkan loader (`apt install libvulkan1` on Debian and Ubuntu) and a driver with Vulkan: `mesa-vulkan-drivers` for AMD and Intel, the driver of NVIDIA itself (in a container: NVIDIA_DRIVER_CAPABILITIES=all). Or use --backend wasm.'
        : 'Update the graphics driver, or use --backend wasm.',
  });
}

/** Newer than the declarations that come with tfjs. */
export type AdapterInfo = GPUAdapterInfo & { isFallbackAdapter?: boolean };

function describe(adapter: GPUAdapter): DeviceDescription {
  const { info, limits, features } = adapter as GPUAdapter & { info: AdapterInfo };
  const words = [info.description, info.device].filter((word) => word !== '');
  const kind = [info.vendor, info.architecture].filter((word) => word !== '').join(', ');
  const name = `${words[0] ?? 'GPU'}${kind ? ` (${kind})` : ''}`;
  return {
    name,
    software: Boolean(info.isFallbackAdapter) || SOFTWARE.test(`${name} ${words.join(' ')}`),
    limits: Object.fromEntries(LIMITS.map((limit) => [limit, limits[limit]])) as DeviceDescription['limits'],
    subgroups: (features as ReadonlySet<string>).has('subgroups'),
  };
}
