/** The written reference is what the docstrings say, and nothing exported goes without words. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script without declarations.
import { makeApi } from '../docs/make-api.mjs';

describe('docs/api.md', () => {
  const text: string = makeApi();

  it('is up to date (npm run docs writes it)', () => {
    expect(readFileSync(fileURLToPath(new URL('../docs/api.md', import.meta.url)), 'utf8')).toBe(text);
  });

  it('has words on every export', () => {
    const silent = text
      .split(/^### /m)
      .slice(1)
      .filter((entry) => /^\w+\n\n```/.test(entry))
      .map((entry) => entry.split('\n')[0]);
    expect(silent).toEqual([]);
  });
});
