/** Starts the program as a person does, in a folder of its own: exit codes, words, files left behind. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { temporaryFolder } from '../../src/contract/fake.js';
import { CLI } from '../sweep/killing.js';

export function perflaw(home: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...words], {
    cwd: home,
    env: { ...process.env, PERFLAW_HOME: home },
    encoding: 'utf8',
  });
  return { code: status, out: stdout, words: stderr };
}

export function homeWith(files: Record<string, string> = {}): string {
  const home = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  return home;
}

/** An error as it should be: code 2, the words, no stack trace, no results. */
export function expectRefusal(home: string, words: string[], ...patterns: RegExp[]): void {
  const { code, words: text } = perflaw(home, ...words);
  for (const pattern of patterns) expect(text).toMatch(pattern);
  expect(text).not.toMatch(/^\s+at .*:\d+:\d+\)?$/m);
  expect(code).toBe(2);
  expect(existsSync(join(home, 'reports'))).toBe(false);
}
