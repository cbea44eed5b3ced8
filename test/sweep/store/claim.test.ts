import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { ClaimWatch, readClaim, tryClaim } from '../../../src/sweep/store/claim.js';
import { liveness, ownIdentity } from '../../../src/sweep/store/process-identity.js';
import { createRandom } from '../../../src/util/random.js';

const CLAIMER = fileURLToPath(new URL('../programs/claimer.mjs', import.meta.url));
const claimsIn = (folder: string) => readdirSync(folder).filter((name) => name.startsWith('claim-'));
const edit = (folder: string, generation: number, change: object) => {
  const path = join(folder, `claim-${generation}.json`);
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
};

describe('a claim', () => {
  it('is held by one, and can be made again after its release', () => {
    const folder = temporaryFolder();
    const first = tryClaim(folder)!;
    expect(tryClaim(folder)).toBeUndefined();
    expect(first.held()).toBe(true);
    first.release();
    const second = tryClaim(folder)!;
    expect(second.held()).toBe(true);
    expect(first.held()).toBe(false);
    expect(claimsIn(folder)).toEqual(['claim-2.json']);
  });

  it('of a dead process of this machine is taken over at once', () => {
    const folder = temporaryFolder();
    const dead = spawnSync(process.execPath, [
      '--input-type=module',
      '-e',
      `import { tryClaim } from ${JSON.stringify(new URL('../../../dist/sweep/store/claim.js', import.meta.url).href)};
       if (!tryClaim(${JSON.stringify(folder)})) process.exit(1);`,
    ]);
    expect(dead.status).toBe(0);
    expect(readClaim(folder).state).toBe('dead');
    expect(tryClaim(folder)?.held()).toBe(true);
  });

  it('of another process with the same number is not mistaken for its own', () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    expect(readClaim(folder).state).toBe('alive');
    edit(folder, 1, { started: '1' });
    expect(readClaim(folder).state).toBe('dead');
  });

  it('of another machine is dead only when its heartbeat stands still, whatever the clocks say', async () => {
    const folder = temporaryFolder();
    tryClaim(folder);
    edit(folder, 1, { machine: 'elsewhere', host: 'node7', pid: 1 });
    const path = join(folder, 'claim-1.json');
    // A clock far behind: nothing is concluded from it.
    utimesSync(path, new Date(0), new Date(0));
    const watch = new ClaimWatch(0.05);
    expect(watch.look(folder)).toMatchObject({ state: 'alive', host: 'node7' });
    await new Promise((resolve) => setTimeout(resolve, 80));
    utimesSync(path, new Date(5000), new Date(5000));
    expect(watch.look(folder).state).toBe('alive');
    await new Promise((resolve) => setTimeout(resolve, 80));
    const { state, token } = watch.look(folder);
    expect(state).toBe('dead');
    expect(tryClaim(folder)).toBeUndefined();
    expect(tryClaim(folder, token)?.held()).toBe(true);
  });

  it('that is damaged counts as held until it stands still', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'claim-3.json'), '');
    expect(tryClaim(folder)).toBeUndefined();
    const watch = new ClaimWatch(0.05);
    watch.look(folder);
    await new Promise((resolve) => setTimeout(resolve, 80));
    const { state, token } = watch.look(folder);
    expect(state).toBe('dead');
    expect(tryClaim(folder, token)?.held()).toBe(true);
    expect(claimsIn(folder)).toEqual(['claim-4.json']);
  });

  it('is lost by an owner that slept through a takeover', () => {
    const folder = temporaryFolder();
    const sleeper = tryClaim(folder)!;
    const token = readClaim(folder).token;
    expect(tryClaim(folder, token)?.held()).toBe(true);
    expect(sleeper.held()).toBe(false);
    sleeper.release();
    expect(readClaim(folder)).toMatchObject({ generation: 2, state: 'alive' });
  });

  it('in a folder that is not there is an error, not a claim', () => {
    expect(() => tryClaim(join(temporaryFolder(), 'none'))).toThrow();
  });

  it('is never held by two of four processes, some of them killed while inside', {
    timeout: 60_000,
  }, async () => {
    const folder = join(temporaryFolder(), 'trial');
    mkdirSync(folder);
    const random = createRandom('claim kills');
    const output: string[] = [];
    const start = (rounds: number) => {
      const child = spawn(process.execPath, [CLAIMER, folder, String(rounds)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      child.stdout.on('data', (data) => output.push(String(data)));
      return child;
    };
    const ended = (child: ChildProcess) => new Promise<void>((resolve) => child.on('exit', () => resolve()));
    const steady = [start(200), start(200)];
    const finished = steady.map(ended);
    for (let kill = 0; kill < 8; kill++) {
      const victim = start(100_000);
      const gone = ended(victim);
      await new Promise((resolve) => victim.stdout.once('data', resolve));
      await new Promise((resolve) => setTimeout(resolve, random.uniform() * 60));
      victim.kill('SIGKILL');
      await gone;
    }
    await Promise.all(finished);
    expect(output.join('').match(/.* met .*/g)).toBeNull();
    expect(output.join('').match(/entered 200/g)).toHaveLength(2);
  });
});

describe('a process', () => {
  it('knows itself alive, and another machine as unknown', () => {
    expect(liveness(ownIdentity())).toBe('alive');
    expect(liveness({ ...ownIdentity(), machine: 'elsewhere' })).toBe('unknown');
    expect(liveness({ ...ownIdentity(), pid: 2 ** 22 + 7 })).toBe('dead');
  });
});
