/** The batch script as people read it, and as a shell and Slurm read hostile names. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../../src/contract/fake.js';
import { batchScript, outputPattern, type ScriptFacts } from '../../../../src/sweep/launch/slurm/script.js';
import { shellWord } from '../../../../src/util/shell.js';

const PLAIN: ScriptFacts = {
  sweep: 'ml1m',
  job: 'perflaw-ml1m-1-0a1b2c',
  version: '0.1.0',
  tasks: 20,
  path: '/shared/ann/reports/ml1m',
  workspace: '/shared/ann',
  command: ['/usr/bin/node', '/opt/perflaw/dist/sweep/run/trial-process.js'],
  options: ['--batch'],
  settings: {},
};

const FULL: ScriptFacts = {
  ...PLAIN,
  path: "/shared/ann's data/reports/ml 1m",
  workspace: "/shared/ann's data",
  options: ['--batch', '--time-limit=7200'],
  settings: {
    partition: 'gpu,gpu-long',
    account: 'recsys',
    qos: 'normal',
    constraint: '[rack1|rack2]',
    gpus: 'a100:1',
    cpus: 4,
    memory: 8.5 * 2 ** 30,
    time: 2.5 * 3600,
    grace: 120,
    concurrent: 8,
    environment: { OMP_NUM_THREADS: '4', GREETING: "it's $HOME" },
    setup: ['module purge', 'module load nodejs/20'],
    options: ['--exclude=node7', '--nice'],
  },
};

describe('the batch script', () => {
  it('of a sweep without settings', async () => {
    await expect(batchScript(PLAIN)).toMatchFileSnapshot('../../../golden/slurm-plain.sbatch');
  });
  it('with every setting', async () => {
    await expect(batchScript(FULL)).toMatchFileSnapshot('../../../golden/slurm-full.sbatch');
  });
  it('has every directive before the first command, where Slurm stops reading them', () => {
    for (const facts of [PLAIN, FULL]) {
      const lines = batchScript(facts).split('\n');
      const last = lines.findLastIndex((line) => line.startsWith('#SBATCH'));
      const first = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
      expect(last).toBeLessThan(first);
    }
  });
  it('gives the program exactly the paths and variables it was given, whatever they hold', () => {
    const folder = temporaryFolder();
    const submission = join(folder, 'submission');
    mkdirSync(submission);
    writeFileSync(join(submission, 'trials.txt'), '0000000000\n0123456789\n');
    const program = join(folder, 'show');
    writeFileSync(program, '#!/bin/sh\nprintf "%s\\0" "$PWD" "$VALUE" "$@"\n');
    chmodSync(program, 0o755);
    const hostile = fc
      .string({ unit: fc.constantFrom(...`ab '"$\`\\!*?;&|<>(){}[]#~%\n\té`), minLength: 1, maxLength: 12 })
      .filter((name) => name.trim() !== '' && !/^\.+$/.test(name));
    fc.assert(
      fc.property(hostile, hostile, (name, value) => {
        const workspace = join(folder, name);
        mkdirSync(workspace, { recursive: true });
        const script = batchScript({
          ...PLAIN,
          workspace,
          path: join(workspace, value),
          command: [program],
          settings: { environment: { VALUE: value } },
        });
        const { stdout, stderr } = spawnSync('bash', ['-s'], {
          cwd: submission,
          input: script,
          encoding: 'utf8',
          env: { ...process.env, SLURM_ARRAY_TASK_ID: '1' },
        });
        expect(stderr).toBe('');
        expect(stdout.split('\0').slice(0, -1)).toEqual([
          workspace,
          value,
          join(workspace, value),
          '0123456789',
          '--batch',
        ]);
      }),
      { numRuns: 40 },
    );
  });
});

describe('paths', () => {
  it('without anything special stay as they are', () => {
    expect(shellWord('/a/b-c_1.js')).toBe('/a/b-c_1.js');
    expect(shellWord("it's")).toBe("'it'\\''s'");
    expect(shellWord('')).toBe("''");
  });
  it('escape what Slurm would replace, and are refused where it has no way to write them', () => {
    expect(outputPattern('/a b/100%j')).toBe('/a b/100%%j/%a.log');
    expect(() => outputPattern('/a\\b')).toThrow(/backslash/);
    expect(() => outputPattern('/a\nb')).toThrow(/line break/);
  });
});
