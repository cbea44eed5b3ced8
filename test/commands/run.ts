/** Runs a command as the program does, in a workspace of its own, and catches what it prints. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, vi } from 'vitest';
import type { Arguments, CommandModule } from '../../src/commands/options/command.js';
import { commandLine } from '../../src/commands/options/command-line.js';

/** A workspace for the tests of one file. */
export function useWorkspace(): { folder: () => string } {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'perflaw-command-'));
    vi.stubEnv('PERFLAW_HOME', folder);
  });
  afterAll(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder: () => folder };
}

/** Parses `words` with the command's options, runs it, and returns exit code and output. */
export async function runCommand(command: CommandModule, usage: string, words: string[]) {
  let args: Arguments | undefined;
  await commandLine(words)
    .command(
      usage,
      '',
      (y) => command.options(y),
      (parsed) => {
        args = parsed as unknown as Arguments;
      },
    )
    .parseAsync();
  const out: string[] = [];
  const err: string[] = [];
  const stdout = vi.spyOn(process.stdout, 'write').mockImplementation((text) => out.push(String(text)) > 0);
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => err.push(String(text)) > 0);
  try {
    const code = await command.run(args!);
    return { code, out: out.join(''), err: err.join('') };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}
