/** Claims of jobs: nobody starts them a second time, and Slurm may start one again on another machine. */
import { spawnSync } from 'node:child_process';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { awaitClaim } from '../../../src/sweep/store/await-claim.js';
import { readClaim, tryClaim } from '../../../src/sweep/store/claim.js';

/** Makes a claim look as if it came from another machine. */
function moveElsewhere(folder: string, change: object = {}): void {
  const path = join(folder, 'claim-1.json');
  const claim = JSON.parse(readFileSync(path, 'utf8'));
  writeFileSync(path, JSON.stringify({ ...claim, machine: 'elsewhere', host: 'node7', ...change }));
}

describe('a patient claim', () => {
  it('takes over from another machine once its heartbeat has stood still, by no clock but its own', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    moveElsewhere(folder);
    utimesSync(join(folder, 'claim-1.json'), new Date(4e12), new Date(4e12));
    expect((await awaitClaim(folder, undefined, 0.3))?.held()).toBe(true);
  });

  it('gives up as soon as the other one is heard', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    moveElsewhere(folder);
    const waiting = awaitClaim(folder, undefined, 30);
    setTimeout(() => utimesSync(join(folder, 'claim-1.json'), new Date(1000), new Date(1000)), 100);
    expect(await waiting).toBeUndefined();
    expect(readClaim(folder).generation).toBe(1);
  });

  it('gives up at once for a process of this machine', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    expect(await awaitClaim(folder, undefined, 30)).toBeUndefined();
  });

  it('takes what is released while it waits', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    moveElsewhere(folder);
    const waiting = awaitClaim(folder, undefined, 30);
    setTimeout(() => moveElsewhere(folder, { released: true }), 100);
    expect((await waiting)?.held()).toBe(true);
  });
});

describe('a job that Slurm started again', () => {
  const claimAs = (folder: string, job: string, restarts: string | undefined) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { tryClaim } from ${JSON.stringify(new URL('../../../dist/sweep/store/claim.js', import.meta.url).href)};
         process.exit(tryClaim(${JSON.stringify(folder)}) ? 0 : 1);`,
      ],
      {
        env: {
          ...process.env,
          SLURM_CLUSTER_NAME: 'c',
          SLURM_JOB_ID: '900',
          SLURM_ARRAY_JOB_ID: job,
          SLURM_ARRAY_TASK_ID: '4',
          ...(restarts === undefined ? {} : { SLURM_RESTART_COUNT: restarts }),
        },
      },
    ).status === 0;

  it('takes its own earlier claim over from another machine, and nobody else’s', () => {
    const folder = temporaryFolder();
    expect(claimAs(folder, '17', undefined)).toBe(true);
    moveElsewhere(folder);
    expect(readClaim(folder)).toMatchObject({ state: 'unknown', file: { job: 'c:17_4', restarts: 0 } });
    expect(claimAs(folder, '18', '1')).toBe(false);
    expect(claimAs(folder, '17', undefined)).toBe(false);
    expect(claimAs(folder, '17', '1')).toBe(true);
  });
});
