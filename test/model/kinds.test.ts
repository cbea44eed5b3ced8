/** Rows of the table of models: what follows from them, and that names of the published code go both ways. */
import { describe, expect, it } from 'vitest';
import {
  DEFAULT_MODEL,
  defaultLoss,
  MEANT_FOR,
  MODEL_NAMES,
  type ModelConfig,
} from '../../src/model/config.js';
import { COMMON_UPSTREAM, kindOf } from '../../src/model/kinds.js';
import type { ModelSettings } from '../../src/model/settings.js';

describe.each(MODEL_NAMES)('%s', (name) => {
  const kind = kindOf({ name });

  it('reads a loss at all positions only where it looks one way', () => {
    expect(defaultLoss(name)).toBe(kind.bidirectional ? 'last' : 'all');
  });

  it('has a published headDim exactly where headDim means something', () => {
    expect(kind.headDim !== undefined).toBe(MEANT_FOR.get('headDim')!.includes(name));
  });
});

const PUBLISHED = MODEL_NAMES.filter((name) => kindOf({ name }).upstream);

it.each(PUBLISHED)('%s is called upstream as it is read from there', (name) => {
  const settings = kindOf({ name }).upstream!.settings;
  const cases: Partial<ModelSettings>[] = [
    {},
    { headDim: 8, time: 'none', timeGate: 'position', timeDropout: 0.4, convInit: 'kaiming' },
    { headDim: 8, beta: 0.7, hiddenShare: 0.3, embeddingNorm: 'off' },
    { layers: 1, residual: 'always' },
    { layers: 2, residual: 'always' },
  ];
  for (const own of cases) {
    const model: ModelConfig = { ...DEFAULT_MODEL, name, dropout: 0.5, ...own };
    const all = [...COMMON_UPSTREAM, ...settings];
    const written = all.map((setting) => setting.write(model));
    const read: ModelSettings = Object.assign(
      { ...DEFAULT_MODEL },
      ...all.map((setting, i) => setting.read(written[i])),
    );
    expect(all.map((setting) => setting.write(read))).toEqual(written);
    for (const key of ['dim', 'layers', 'dState', 'dConv', 'expand', 'maxLength', 'dropout'] as const)
      expect(read[key]).toBe(model[key]);
  }
});

it('refuses a number that is none', () => {
  expect(() => COMMON_UPSTREAM[0]!.read('64')).toThrow('hidden_size is no number');
});
