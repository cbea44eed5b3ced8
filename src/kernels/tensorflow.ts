/**
 * The package that brings libtensorflow: found, loaded, described. It is the user's to add, since its install script fetches
 * libtensorflow from a host of its own. Looked for in the folder that PERFLAW_TENSORFLOW names, else where Node finds the
 * program's own packages.
 */
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs';
import { describeError, UserError } from '../util/errors.js';

/** In this order: with a GPU first. */
const PACKAGES = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

interface Installed {
  name: string;
  version: string;
  /** Its entry file. */
  entry: string;
}

/** What is loaded: versions and the device that it computes on. */
export interface TensorflowDescription {
  package: string;
  libtensorflow: string;
  device: 'GPU' | 'CPU';
}

let loaded: Promise<void> | undefined;

/** The package that would be loaded; undefined where none is installed. */
export function findTensorflow(): Installed | undefined {
  const folder = process.env['PERFLAW_TENSORFLOW'];
  const require = createRequire(folder ? join(resolve(folder), 'package.json') : import.meta.url);
  for (const name of PACKAGES)
    try {
      const { version } = require(`${name}/package.json`) as { version: string };
      return { name, version, entry: require.resolve(name) };
    } catch {
      // Not this one.
    }
  return undefined;
}

/**
 * Registers the tfjs backend `tensorflow`.
 * @throws UserError when no package is installed, it is of another version than tfjs, or it does not load.
 */
export function loadTensorflow(): Promise<void> {
  loaded ??= load().catch((error) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}

async function load(): Promise<void> {
  const wanted = tf.version.tfjs;
  const [gpu, cpu] = PACKAGES.map((name) => `npm install ${name}@${wanted}`);
  const add = `Run \`${gpu}\` (NVIDIA GPU with CUDA 11.2 and cuDNN 8.1) or \`${cpu}\` (CPU); where its download is out of reach, in a clone of this project, \`npm run build:tensorflow -- FOLDER\` and set PERFLAW_TENSORFLOW=FOLDER. Or use --backend wasm.`;
  const found = findTensorflow();
  const folder = process.env['PERFLAW_TENSORFLOW'];
  if (!found)
    throw new UserError(
      `the backend 'tensorflow' needs a package that is not installed${folder ? ` in ${folder} (PERFLAW_TENSORFLOW)` : ''}`,
      { remedy: add },
    );
  if (found.version !== wanted)
    throw new UserError(`${found.name} is of version ${found.version}, and this program of tfjs ${wanted}`, {
      place: found.entry,
      remedy: add,
    });
  prepareProcess();
  try {
    await import(pathToFileURL(found.entry).href);
  } catch (error) {
    throw new UserError(`${found.name} is installed but does not load: ${describeError(error)}`, {
      place: found.entry,
      remedy: found.name.endsWith('-gpu')
        ? `Check that CUDA 11.2 and cuDNN 8.1 are there and that its libtensorflow was downloaded: \`npm rebuild ${found.name}\`.`
        : `Check that its libtensorflow was downloaded: \`npm rebuild ${found.name}\`.`,
      cause: error,
    });
  }
}

/** What must hold before the package is loaded. */
function prepareProcess(): void {
  // It calls one function that Node 22 warns of and Node 23 took away, and another that Node 22 warns of.
  const util = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  util['isNullOrUndefined'] = (value: unknown) => value === null || value === undefined;
  util['isArray'] = Array.isArray;
  const { env } = process;
  // Warnings and errors only, not what it was compiled for.
  env['TF_CPP_MIN_LOG_LEVEL'] ??= '1';
  // A trial is one core, as on the other backends: sweeps run trials side by side, and sums keep their order.
  env['TF_NUM_INTRAOP_THREADS'] ??= '1';
  env['TF_NUM_INTEROP_THREADS'] ??= '1';
}

/** @throws Error when the current backend is another. */
export function describeTensorflow(): TensorflowDescription {
  const backend = tf.backend() as unknown as {
    binding?: { TF_Version: string };
    isUsingGpuDevice: boolean;
  };
  if (tf.getBackend() !== 'tensorflow' || !backend.binding)
    throw new Error(`the backend is ${tf.getBackend()}, not tensorflow`);
  const found = findTensorflow();
  return {
    package: found ? `${found.name} ${found.version}` : 'unknown package',
    libtensorflow: backend.binding.TF_Version,
    device: backend.isUsingGpuDevice ? 'GPU' : 'CPU',
  };
}
