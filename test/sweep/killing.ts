/**
 * Sweeps of real trainings that are killed: one or several commands on one store, SIGKILL to commands, to trials or to
 * both at random moments, the same command again, until everything is done. What comes out must equal an undisturbed
 * run, bit for bit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readClaim } from '../../src/sweep/claim.js';
import { SweepStore } from '../../src/sweep/store.js';
import type { Random } from '../../src/util/random.js';
import { packageRoot } from '../../src/util/workspace.js';

export const CLI = join(packageRoot, 'dist', 'cli.js');

export const SWEEP = `name: killed
data: {synthetic: {users: 150, items: 60, meanLength: 20}}
model: {dState: 4, maxLength: 20, dropout: 0.1, dim: 8}
training: {epochs: 8, patience: 3, rows: 4, learningRate: 5e-3}
grid: {layers: [1, 2, 3]}
`;

export interface Home {
  folder: string;
  file: string;
  store: SweepStore;
}

export function makeHome(folder: string, text = SWEEP): Home {
  const file = join(folder, 'killed.yaml');
  writeFileSync(file, text);
  return { folder, file, store: new SweepStore(join(folder, 'reports', 'killed')) };
}

/** Starts the sweep's command; its words go to `log`. */
export function startCommand(home: Home, log: string[] = [], words: string[] = []): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'sweep', home.file, '--workers', '2', ...words], {
    cwd: home.folder,
    env: { ...process.env, PERFLAW_HOME: home.folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => log.push(String(data)));
  return child;
}

export const exitOf = (child: ChildProcess) =>
  new Promise<number | null>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode);
    else child.on('exit', (code) => resolve(code));
  });

/** Runs the command to its end. */
export async function runCommand(home: Home): Promise<{ code: number | null; text: string }> {
  const log: string[] = [];
  const code = await exitOf(startCommand(home, log));
  return { code, text: log.join('') };
}

/** Process numbers of the trials at work. */
export function trialProcesses({ store }: Home): number[] {
  const folder = join(store.path, 'trials');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((id) => {
    const { state, file } = readClaim(join(folder, id));
    return state === 'alive' && file ? [file.pid] : [];
  });
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/**
 * One round: starts `commands` commands, kills `victims` at a random moment, and in the end every command.
 * @returns how many processes of each kind were killed.
 */
export async function killOnce(
  home: Home,
  random: Random,
  commands: number,
  victims: 'trials' | 'commands' | 'both',
): Promise<{ commands: number; trials: number }> {
  const killed = { commands: 0, trials: 0 };
  const started = Array.from({ length: commands }, () => startCommand(home));
  // Past the start of the programs: the moments that matter are those of claims, checkpoints and results.
  while (trialProcesses(home).length === 0 && started.some(({ exitCode }) => exitCode === null))
    await sleep(20);
  await sleep(random.uniform() * 1200);
  if (victims !== 'commands')
    for (const pid of trialProcesses(home)) if (random.uniform() < 0.8) killed.trials += Number(kill(pid));
  // Time for a command to notice, record or restart what died.
  if (victims === 'trials') await sleep(random.uniform() * 800);
  for (const command of started) {
    if (command.exitCode === null) killed.commands += Number(kill(command.pid!));
    await exitOf(command);
  }
  return killed;
}

/** A result without what may differ between two runs: times, memory, speed. */
export function numbersOf({ store }: Home): Record<string, unknown> {
  const folder = join(store.path, 'trials');
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((id) => {
        const record = JSON.parse(readFileSync(join(folder, id, 'result.json'), 'utf8'));
        for (const key of ['startedAt', 'finishedAt']) delete record[key];
        for (const key of ['seconds', 'tokensPerSecond', 'peakMemoryBytes']) delete record.result?.[key];
        for (const epoch of record.result?.curve ?? []) {
          delete epoch.seconds;
          delete epoch.tokensPerSecond;
        }
        return [id, record];
      }),
  );
}
