/** The names of the backends, and which one `auto` stands for. Loads nothing but Dawn, and that only for `auto`. */
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
    const { findAdapter } = await import('./webgpu/dawn.js');
    const found = await findAdapter().catch(() => undefined);
    return found && !found.device.software ? 'webgpu' : 'wasm';
  }
  if (!(BACKENDS as readonly string[]).includes(name))
    throw new UserError(`unknown backend '${name}'`, {
      remedy: `Choose one of auto, ${BACKENDS.join(', ')}.`,
    });
  return name as BackendName;
}
