/** Whether the webgpu tests can run here: on a GPU, or on a program that imitates one where VK_ICD_FILENAMES names it. */
import { findAdapter } from '../../src/kernels/webgpu/device/dawn.js';

/** Why there is no adapter; undefined where there is one. The reason is printed, so that a skipped test says why. */
export const noAdapter: string | undefined = await findAdapter().then(
  () => undefined,
  (error: Error) => error.message,
);

if (noAdapter) console.log(`webgpu tests are skipped: ${noAdapter}`);
