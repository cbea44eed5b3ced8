/** How fast is a training step of each model at the published shape of ML-1M (dim 64, 32 states, length 200, 3,417 items)? */
import { it } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { modelSteps, STEP_TOKENS } from './model-steps.js';
import { sideBySide } from './side-by-side.js';

it('training steps of the models', async () => {
  await openBackend('wasm');
  const contenders = modelSteps().map(({ name, flops, run }) => ({
    name: `${name} (${(flops / 1e6).toFixed(1)} MFLOP)`,
    run,
  }));
  await sideBySide('Training step, wasm; in brackets FLOPs a token', STEP_TOKENS, 'tokens', contenders, 5);
});
