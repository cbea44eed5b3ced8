/** The names of the backends, and which one `auto` stands for. Loads nothing but Dawn, and that only for `auto`. */
import { existsSync } from 'node:fs';
import { UserError } from '../util/errors.js';

export const BACKENDS = ['wasm', 'webgpu', 'composed', 'cpu', 'tensorflow'] as const;
export type BackendName = (typeof BACKENDS)[number];

/**
 * The backend that a name stands for: `auto` is `webgpu` where there is a GPU, and never a program that imitates one; else
 * `wasm`. Opens nothing.
 * @throws UserError for a name that does not exist.
 */
export async function resolveBackend(name: string): Promise<BackendName> {
  if (name === 'auto') {
    if (!hasGpuDevice()) return 'wasm';
    const { findAdapter } = await import('./webgpu/device/dawn.js');
    const found = await findAdapter().catch(() => undefined);
    return found && !found.device.software ? 'webgpu' : 'wasm';
  }
  if (!(BACKENDS as readonly string[]).includes(name))
    throw new UserError(`unknown backend '${name}'`, {
      remedy: `Choose one of auto, ${BACKENDS.join(', ')}.`,
    });
  return name as BackendName;
}

/**
 * Whether the system shows any GPU. Asked first, since Dawn must be loaded to tell, and Vulkan's loader writes to stderr
 * on machines without one. Only Linux shows it in files: NVIDIA's, everyone else's, and Windows' GPU in WSL.
 */
function hasGpuDevice(): boolean {
  return (
    process.platform !== 'linux' ||
    ['/dev/nvidiactl', '/dev/dri', '/dev/dxg'].some((path) => existsSync(path))
  );
}
