/** The backends that a benchmark can compare on this machine. */
import { currentDevice, openBackend } from '../../src/kernels/backend.js';
import { UserError } from '../../src/util/errors.js';

/** The default, what it is measured against, and what this machine has besides; says what is left out and why. */
export async function presentBackends(): Promise<string[]> {
  const present = ['wasm', 'composed'];
  for (const name of ['webgpu', 'tensorflow'])
    try {
      await openBackend(name);
      const device = currentDevice();
      if (device?.software)
        console.log(`Left out: ${name}, which would run on ${device.name}, not on a GPU.`);
      else present.push(name);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      console.log(`Left out: ${name}, ${error.message}.`);
    }
  return present;
}
