/** A trial keeps its name for as long as the code gives it the same numbers: what lies in a store is found again. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODEL, type ModelConfig } from '../../src/model/config.js';
import { resolveTrial } from '../../src/train/check.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING } from '../../src/train/config.js';
import { trialId } from '../../src/train/identity.js';
import { NUMERIC_VERSION, versionOf } from '../../src/train/version.js';

const trialOf = (model: Partial<ModelConfig>) =>
  resolveTrial({
    data: { name: 'd', hash: 'h' },
    slice: { users: 1 },
    model: { ...DEFAULT_MODEL, ...model },
    training: DEFAULT_TRAINING,
    evaluation: DEFAULT_EVALUATION,
    seed: 0,
    backend: 'wasm',
  });

/** Names as version 2 gave them, before a configuration could name its residual. */
const BEFORE: [Partial<ModelConfig>, string][] = [
  [{}, '0d9b6d8e60'],
  [{ dim: 8 }, '6da20ff37e'],
  [{ dim: 16, dropout: 0.4 }, '3f8743d542'],
  [{ layers: 4, dim: 16 }, '210cae1f1a'],
  [{ name: 'tim4rec' }, '4ab03d54ce'],
];

describe('the name of a trial', () => {
  it.each(BEFORE)('%j is what it was in a store of version 2', (model, id) => {
    expect(trialId(trialOf(model), 2)).toBe(id);
    expect(trialId(trialOf({ ...model, residual: 'published' }), 2)).toBe(id);
  });

  it('changes with a version for the trials that it touches, and for no other', () => {
    const changed = BEFORE.map(([model]) => versionOf(trialOf(model), 3) === 3);
    expect(changed).toEqual([false, true, true, false, false]);
    BEFORE.forEach(([model, id], i) => {
      expect(trialId(trialOf(model), NUMERIC_VERSION) === id).toBe(!changed[i]);
    });
  });

  it('says where a residual is kept that the published code leaves out', () => {
    for (const name of ['mamba4rec', 'tim4rec'] as const) {
      const id = (residual?: ModelConfig['residual']) => trialId(trialOf({ name, residual }), 3);
      expect(id('published')).toBe(id());
      expect(id('always')).not.toBe(id());
    }
    // It has one in every model.
    const ssd = (residual?: ModelConfig['residual']) => trialOf({ name: 'ssd4rec', residual });
    expect(ssd('always')).toEqual({ ...ssd(), training: expect.anything() });
  });
});
