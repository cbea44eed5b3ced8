/** The written reference is what the docstrings say, and nothing exported goes without words. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
// @ts-expect-error A script without declarations.
import { makeApi } from '../docs/make-api.mjs';
// @ts-expect-error A script without declarations.
import { modelRows, tableRows, withheld } from '../docs/make-ml1m.mjs';
// @ts-expect-error A script without declarations.
import { answers, NAMES } from '../docs/make-quality.mjs';

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

describe('docs/quality.md', () => {
  const text = readFileSync(fileURLToPath(new URL('../docs/quality.md', import.meta.url)), 'utf8');

  it.each(NAMES as string[])('holds what its runs say: %s (node docs/make-quality.mjs)', async (name) => {
    const { altered, tests } = await answers(name);
    expect([altered.length, tests.length]).toEqual([10, 6]);
    for (const row of [...altered, ...tests]) expect(text).toContain(row);
  });
});

describe('docs/ml-1m.md', () => {
  const text = readFileSync(fileURLToPath(new URL('../docs/ml-1m.md', import.meta.url)), 'utf8');

  it('holds the table that its runs and its forecasts make (node docs/make-ml1m.mjs)', () => {
    expect(tableRows).toHaveLength(20);
    expect(modelRows).toHaveLength(4);
    for (const row of [...tableRows, ...modelRows]) expect(text).toContain(row);
  });

  it('counts what lies inside as it is', () => {
    const inside = (users: string) =>
      withheld.filter((one: { users: string; isInside: boolean }) => one.users === users && one.isInside)
        .length;
    expect([inside('all'), inside('half'), inside('half, lower rate')]).toEqual([5, 4, 6]);
    expect(text).toContain('All five runs on all users lie inside');
    expect(text).toContain('Four of seven inside');
  });
});
