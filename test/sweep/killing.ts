/**
 * Sweeps of real trainings that are killed: several commands on one store, SIGKILL to commands, to trials or to both at
 * random moments and in the middle of writes, the same command again, until everything is done. What comes out must
 * equal an undisturbed run, bit for bit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../../src/contract/fake.js';
import { readClaim } from '../../src/sweep/store/claim.js';
import { SweepStore } from '../../src/sweep/store/store.js';
import { createRandom, type Random } from '../../src/util/random.js';
import { packageRoot } from '../../src/util/workspace.js';

export const CLI = join(packageRoot, 'dist', 'cli.js');

export const SWEEP = `name: killed
data: {synthetic: {users: 150, items: 60, meanLength: 20}}
model: {dState: 4, maxLength: 20, dropout: 0.1, dim: 8}
training: {epochs: 8, patience: 3, rows: 4, learningRate: 5e-3}
grid: {layers: [1, 2, 3]}
`;

const FAULT = new URL('./programs/fault.mjs', import.meta.url).href;

/** Where a program strikes itself: see programs/fault.mjs. */
export interface Fault {
  role: 'command' | 'trial';
  at: number;
  half: number;
  token: string;
  log?: string;
  /** Not killed: from that change on the disk is full. */
  full?: boolean;
}

/** The environment of a program that is to die in the middle of a change to the file system. */
export function faultEnvironment(fault: Fault): NodeJS.ProcessEnv {
  return { ...process.env, NODE_OPTIONS: `--import ${FAULT}`, PERFLAW_FAULT: JSON.stringify(fault) };
}

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
export function startCommand(home: Home, log: string[] = [], fault?: Fault): ChildProcess {
  const child = spawn(process.execPath, [CLI, 'sweep', home.file, '--workers', '1'], {
    cwd: home.folder,
    env: { ...(fault ? faultEnvironment(fault) : process.env), PERFLAW_HOME: home.folder },
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

/** The trials at work, by their process. */
export function trialsAtWork({ store }: Home): { id: string; pid: number }[] {
  const folder = join(store.path, 'trials');
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((id) => {
    const { state, file } = readClaim(join(folder, id));
    return state === 'alive' && file ? [{ id, pid: file.pid }] : [];
  });
}

/** The same, waiting until there are so many or `over`: on a slow machine kills must not outrun the work. */
async function someAtWork(home: Home, wanted: number, over: () => boolean) {
  for (;;) {
    const found = trialsAtWork(home);
    if (found.length >= wanted || over()) return found;
    await sleep(50);
  }
}

function kill(pid: number): boolean {
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 4).split(' ')[0]);
  } catch {
    return undefined;
  }
}

/** Processes killed: by whom they were, or in the middle of a change to the file system. */
export interface Kills {
  trials: number;
  commands: number;
  writes: number;
}

export interface Torment {
  /** Commands on the store at the same time. */
  commands: number;
  /** Mean milliseconds between two kills. */
  meanGap: number;
  /** No more kills after that many, or past that time by `performance.now()`. */
  most: number;
  until: number;
}

/** A trial that its command saw killed more often than this counts as failed, rightly. */
const MOST_OF_ONE = 2;

/**
 * Runs the sweep by several commands at once and kills trials, commands and both at random moments, or has them strike
 * themselves in the middle of a write; every command that died is started again, until one comes to the end.
 * @returns how many died of what; rejects when a command ends in any other way.
 */
export async function torment(home: Home, random: Random, options: Torment): Promise<Kills> {
  const kills: Kills = { trials: 0, commands: 0, writes: 0 };
  const deaths = new Map<string, number>();
  const tokens = mkdtempSync(join(tmpdir(), 'perflaw-struck-'));
  const live: { child: ChildProcess; log: string[]; token?: string; trialFault: boolean }[] = [];
  const sum = () => kills.trials + kills.commands + kills.writes;
  const more = () => sum() < options.most && performance.now() < options.until;
  let started = 0;
  const start = () => {
    const log: string[] = [];
    // The first ones are left alone, so that there is something to kill.
    const role = random.uniform() < 0.5 ? ('trial' as const) : ('command' as const);
    const at = 1 + random.int(role === 'trial' ? 60 : 30);
    const armed = started++ >= options.commands && more();
    const token = armed ? join(tokens, String(started)) : undefined;
    const fault = token ? { role, at, half: 1 + random.int(2), token } : undefined;
    live.push({ child: startCommand(home, log, fault), log, token, trialFault: armed && role === 'trial' });
  };
  const countStrike = (command: (typeof live)[number]) => {
    if (!command.token || !existsSync(command.token)) return;
    kills.writes++;
    command.token = undefined;
  };
  try {
    for (;;) {
      while (live.length < options.commands) start();
      await sleep(more() ? -options.meanGap * Math.log(1 - random.uniform()) : 200);
      for (const command of live) countStrike(command);
      const ended = live.filter(({ child }) => child.exitCode !== null);
      const wrong = ended.find(({ child }) => child.exitCode !== 0);
      if (wrong) throw new Error(`a command ended with ${wrong.child.exitCode}:\n${wrong.log.join('')}`);
      if (ended.length > 0) break;
      const chosen = random.int(3);
      const at = random.uniform();
      if (more()) {
        const over = () =>
          !more() || live.some(({ child }) => child.exitCode !== null || child.signalCode !== null);
        const victims = await someAtWork(home, 1 + random.int(Math.min(3, options.commands)), over);
        const { id, pid } = victims[Math.floor(at * victims.length)] ?? { id: '', pid: 0 };
        const parent = pid === 0 ? undefined : parentOf(pid);
        const command =
          chosen === 1
            ? live[Math.floor(at * live.length)]
            : live.find(({ child }) => child.pid === parent && parent !== undefined);
        if (chosen !== 1 && pid !== 0) {
          const key = `${parent}/${id}`;
          const before = (deaths.get(key) ?? 0) + (command?.trialFault ? 1 : 0);
          if (before < MOST_OF_ONE && kill(pid)) {
            kills.trials++;
            deaths.set(key, before + 1);
          }
        }
        if (chosen !== 0 && command?.child.signalCode === null && kill(command.child.pid!)) {
          kills.commands++;
          await exitOf(command.child);
        }
      }
      for (let i = live.length - 1; i >= 0; i--) if (live[i]!.child.signalCode !== null) live.splice(i, 1);
    }
    for (const command of live) {
      const code = await exitOf(command.child);
      countStrike(command);
      if (code !== 0 && command.child.signalCode !== 'SIGKILL')
        throw new Error(`a command ended with ${code}:\n${command.log.join('')}`);
    }
    return kills;
  } finally {
    for (const { child } of live) if (child.exitCode === null && child.signalCode === null) kill(child.pid!);
    rmSync(tokens, { recursive: true, force: true });
  }
}

/** A result without what may differ between two runs: times, memory, speed. */
export function numbersOf({ store }: Home): Record<string, unknown> {
  const folder = join(store.path, 'trials');
  return Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((id) => {
        const record = JSON.parse(readFileSync(join(folder, id, 'result.json'), 'utf8'));
        for (const key of ['startedAt', 'finishedAt', 'occupied']) delete record[key];
        for (const key of ['seconds', 'tokensPerSecond', 'peakMemoryBytes']) delete record.result?.[key];
        for (const epoch of record.result?.curve ?? []) {
          delete epoch.seconds;
          delete epoch.tokensPerSecond;
        }
        return [id, record];
      }),
  );
}

/** How much is killed: a few, or what `npm run torture` asks for through the environment. */
export const killsWanted = (few: number) => ({
  wanted: Number(process.env['PERFLAW_KILLS'] ?? few),
  commands: Number(process.env['PERFLAW_KILL_COMMANDS'] ?? 2),
  minutes: Number(process.env['PERFLAW_KILL_MINUTES'] ?? 1),
  seed: process.env['PERFLAW_KILL_SEED'] ?? 'kill',
});

/**
 * Torments one sweep after another until enough is killed or the time is up; each is then brought to its end.
 * @param check what must hold of every one, with how many are killed and seconds so far.
 * @returns kills by kind.
 */
export async function tormentOften(
  { wanted, commands, minutes, seed }: ReturnType<typeof killsWanted>,
  { name, text, meanGap }: { name: string; text: string; meanGap: number },
  check: (
    home: Home,
    end: { code: number | null; text: string },
    so: { sweeps: number; killed: number; seconds: number },
  ) => void,
): Promise<Kills> {
  const random = createRandom(name, seed);
  const total: Kills = { trials: 0, commands: 0, writes: 0 };
  const killed = () => total.trials + total.commands + total.writes;
  const begun = performance.now();
  const seconds = () => Math.round((performance.now() - begun) / 1000);
  const until = begun + minutes * 60_000;
  let sweeps = 0;
  while (killed() < wanted && performance.now() < until) {
    const home = makeHome(temporaryFolder(), text);
    const kills = await torment(home, random, { commands, meanGap, most: wanted - killed(), until });
    for (const kind of ['trials', 'commands', 'writes'] as const) total[kind] += kills[kind];
    sweeps++;
    check(home, await runCommand(home), { sweeps, killed: killed(), seconds: seconds() });
  }
  console.log(
    `${killed()} of ${wanted} processes killed in ${sweeps} sweeps (${name}) and ${seconds()} s: ${total.trials} trials, ${total.commands} commands, ${total.writes} in the middle of a change to the file system; ${commands} commands at once, seed ${seed}`,
  );
  return total;
}
