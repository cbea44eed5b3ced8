/** A crash at every single change to the file system (before it, in its middle, after it), and a disk full from it on. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { FAKE_ENTRY, fakeTrial, NUMERIC_VERSION, temporaryFolder } from '../../../src/contract/fake.js';
import { TrialExit } from '../../../src/sweep/launch/launcher.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { type Fault, faultEnvironment } from '../killing.js';

const SWEEPER = fileURLToPath(new URL('../programs/sweeper.mjs', import.meta.url));
/** Every how many changes one is struck: all of them where there is time. */
const STRIDE = process.env['PERFLAW_KILLS'] ? 1 : 7;
const trial = fakeTrial({ epochs: 1, stepSeconds: 0.0001 });

interface Ending {
  code: number | null;
  signal: string | null;
  words: string;
}

function run(words: string[], fault?: Fault): Promise<Ending> {
  const child = spawn(process.execPath, words, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: fault ? faultEnvironment(fault) : process.env,
  });
  let text = '';
  child.stderr.on('data', (data) => {
    text += data;
  });
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, words: text })),
  );
}

function prepare(): SweepStore {
  const store = new SweepStore(join(temporaryFolder(), 's'));
  const { id, config } = trial;
  store.writeJob({ schema: 1, id, numericVersion: NUMERIC_VERSION, config, data: 'fake' });
  return store;
}

const FILES = ['config.json', 'log.txt', 'ranks.bin', 'result.json'];

function metricsOf(store: SweepStore) {
  const found = store.readTrial(trial.id, NUMERIC_VERSION);
  return found.state === 'done' && found.record.status === 'done' ? found.record.result.test : found;
}

/** Files of a trial's folder but claims, and but what a killed writer left under a temporary name. */
function filesOf(store: SweepStore): string[] {
  return readdirSync(store.folder(trial.id))
    .filter((name) => !/^claim-|\.json\.[0-9]/.test(name))
    .sort();
}

/** Runs the program undisturbed, and says what came out and how many changes to the file system it made. */
async function count(role: Fault['role'], { store, words }: Subject) {
  const folder = temporaryFolder();
  const log = join(folder, 'changes');
  await run(words, { role, at: -1, half: 0, token: join(folder, 'none'), log });
  const expected = metricsOf(store);
  expect(expected).toHaveProperty('masked');
  return { expected, changes: readFileSync(log, 'utf8').trim().split('\n').length };
}

interface Subject {
  store: SweepStore;
  words: string[];
}

const trialProgram = (): Subject => {
  const store = prepare();
  return { store, words: [FAKE_ENTRY, store.path, trial.id] };
};

const command = (): Subject => {
  const folder = temporaryFolder();
  const store = new SweepStore(join(folder, 's'));
  const order = join(folder, 'order.json');
  writeFileSync(order, JSON.stringify({ path: store.path, trials: [trial] }));
  return { store, words: [SWEEPER, order] };
};

const PROGRAMS = [
  ['trial', trialProgram],
  ['command', command],
] as const;

describe('a crash in the middle of any change to the file system', () => {
  it.each(PROGRAMS)(
    'of a %s leaves nothing that a second run does not bring to the same end',
    {
      timeout: 900_000,
    },
    async (role, make) => {
      const { expected, changes } = await count(role, make());
      let struck = 0;
      for (let at = 1; at <= changes; at += STRIDE)
        for (const half of [1, 2]) {
          const { store, words } = make();
          const token = join(temporaryFolder(), 'struck');
          const { signal } = await run(words, { role, at, half, token });
          const where = existsSync(token) ? readFileSync(token, 'utf8') : `not struck at ${at}`;
          if (existsSync(token)) {
            struck++;
            expect(signal, where).toBe('SIGKILL');
          }
          expect(['absent', 'done'], where).toContain(store.readTrial(trial.id, NUMERIC_VERSION).state);
          expect((await run(words)).code, where).toBe(0);
          expect(metricsOf(store), where).toEqual(expected);
          if (role === 'command') expect(filesOf(store), where).toEqual(FILES);
        }
      expect(struck).toBeGreaterThan(changes / STRIDE);
    },
  );
});

it('a process that comes second with one token is not struck, and writes what it would have written', async () => {
  const folder = temporaryFolder();
  const token = join(folder, 'struck');
  writeFileSync(token, 'by another');
  const program = join(folder, 'command.mjs');
  writeFileSync(
    program,
    `import { openSync, writeSync } from 'node:fs';
     const file = openSync(process.argv[2], 'wx');
     writeSync(file, Buffer.from('whole'), 0);`,
  );
  for (const half of [1, 2]) {
    const out = join(folder, `out-${half}`);
    expect(await run([program, out], { role: 'command', at: 2, half, token })).toMatchObject({ code: 0 });
    expect(readFileSync(out, 'utf8')).toBe('whole');
  }
});

describe('a disk that is full from any change on', () => {
  it.each(PROGRAMS)(
    'stops a %s with words, and with space again it comes to the same end',
    {
      timeout: 900_000,
    },
    async (role, make) => {
      const { expected, changes } = await count(role, make());
      for (let at = 1; at <= changes; at += STRIDE) {
        const { store, words } = make();
        const ending = await run(words, { role, at, half: 0, token: '', full: true });
        const where = `full from change ${at} of ${changes}: ${ending.words}`;
        // Where only signs of life were left to write, it comes to its end.
        if (ending.code !== 0) {
          expect(ending.code, where).toBe(role === 'trial' ? TrialExit.diskFull : 2);
          expect(ending.words, where).toMatch(/no space left on the device|disk is full/);
          expect(ending.words, where).not.toMatch(/^\s+at /m);
        }
        expect(['absent', 'done'], where).toContain(store.readTrial(trial.id, NUMERIC_VERSION).state);
        expect((await run(words)).code, where).toBe(0);
        expect(metricsOf(store), where).toEqual(expected);
      }
    },
  );
});
