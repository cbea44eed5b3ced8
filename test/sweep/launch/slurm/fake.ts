/** A folder with a stand-in for every command of Slurm, each with a queue of its own. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../programs/fake-slurm.mjs', import.meta.url));

export interface FakeSlurm {
  folder: string;
  /** Makes something go wrong from now on; '' mends it. */
  fault(kind: string): void;
  maxArraySize(size: number): void;
  /** Tasks that were ever submitted. */
  tasks(): { name: string; state: string; restarts: number; pid?: number }[];
}

export function fakeSlurm(): FakeSlurm {
  const folder = mkdtempSync(join(tmpdir(), "perflaw slurm's "));
  for (const name of ['sbatch', 'squeue', 'scontrol', 'sacct', 'scancel']) {
    const path = join(folder, name);
    const quoted = [process.execPath, PROGRAM].map((word) => `'${word}'`).join(' ');
    writeFileSync(path, `#!/bin/sh\nexec ${quoted} ${name} "$(dirname "$0")" "$@"\n`);
    chmodSync(path, 0o755);
  }
  const slurm: FakeSlurm = {
    folder,
    fault: (kind) => writeFileSync(join(folder, 'fault'), kind),
    maxArraySize: (size) => writeFileSync(join(folder, 'size'), String(size)),
    tasks: () =>
      existsSync(join(folder, 'tasks'))
        ? readdirSync(join(folder, 'tasks'))
            .filter((name) => name.endsWith('.json'))
            .map((name) => JSON.parse(readFileSync(join(folder, 'tasks', name), 'utf8')))
        : [],
  };
  onTestFinished(async () => {
    const active = () => slurm.tasks().filter(({ state }) => state === 'RUNNING' || state === 'PENDING');
    // What a failed test left; each that is killed makes room for the next.
    for (let round = 0; active().length > 0 && round < 200; round++) {
      for (const { pid } of active())
        try {
          if (pid !== undefined) process.kill(pid, 'SIGKILL');
        } catch {
          // Just ended.
        }
      await sleep(50);
    }
    rmSync(folder, { recursive: true, force: true });
  });
  return slurm;
}
