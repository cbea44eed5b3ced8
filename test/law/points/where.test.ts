import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../src/law/points/observation.js';
import { keepWhere } from '../../../src/law/points/where.js';

const runs: Observation[] = [1, 2, 4].flatMap((layers) =>
  ['mamba4rec', 'tim4rec'].map((model) => ({
    slice: 'all',
    layers,
    dim: 32 * layers,
    metrics: { 'hr@10': 0.1 },
    config: { model, dropout: 0.2 },
  })),
);
const count = (...texts: string[]) => keepWhere(runs, texts).length;

describe('--where', () => {
  it('keeps the runs that meet every condition, by size and by setting', () => {
    expect(count('layers>1')).toBe(4);
    expect(count('layers >= 2', 'dim<128')).toBe(2);
    expect(count('layers>1 and model=tim4rec')).toBe(2);
    expect(count('model!=tim4rec')).toBe(3);
    expect(count('dropout=.2')).toBe(6);
    expect(count('Layers==4')).toBe(2);
  });

  it.each([
    ['layers', /is no condition/],
    ['layer>1', /there is no "layer"/],
    ['layers>x', /"x" is no number/],
    ['layers>9', /no run meets/],
    ['layers>', /is no condition/],
  ])('refuses %s', (text, message) => {
    expect(() => keepWhere(runs, [text])).toThrow(message);
  });

  it('says what is near', () => {
    expect(() => keepWhere(runs, ['layer>1'])).toThrow(
      expect.objectContaining({ remedy: expect.stringMatching(/Is "layers" meant/) }),
    );
  });
});
