/** The backends that open on this machine. */
import { openBackend } from '../../src/kernels/backend.js';

/** Those that need nothing, and of the others those that open here; the rest with a printed reason. */
export async function backendsHere(): Promise<string[]> {
  const found = ['wasm', 'composed', 'cpu'];
  for (const name of ['webgpu', 'tensorflow'])
    try {
      await openBackend(name);
      found.push(name);
    } catch (error) {
      console.log(`skipped: backend ${name} (${(error as Error).message})`);
    }
  return found;
}
