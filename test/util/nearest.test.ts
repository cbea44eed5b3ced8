import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, nearest } from '../../src/util/nearest.js';

describe('nearest', () => {
  it('finds a misspelt word, whatever its case, dashes and underscores', () => {
    const words = ['seeds', 'slices', 'training', 'dState', 'synthetic', 'ml-100k'];
    const asked = ['sedes', 'slice', 'trianing', 'd_state', 'D-STATE', 'synth', 'ml100k', 'traning'];
    expect(asked.map((text) => nearest(text, words))).toEqual([
      'seeds',
      'slices',
      'training',
      'dState',
      'dState',
      'synthetic',
      'ml-100k',
      'training',
    ]);
  });
  it('finds nothing where nothing is near', () => {
    expect(nearest('budget', ['dim', 'layers'])).toBeUndefined();
    expect(nearest('x', [])).toBeUndefined();
  });
  it('counts edits: symmetric, zero for equal words alone, one for a swap', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), (a, b) => {
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a === b);
      }),
    );
    expect(editDistance('form', 'from')).toBe(1);
    expect(editDistance('kitten', 'sitting')).toBe(3);
  });
});
