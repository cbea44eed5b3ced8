/** A short training in processes of their own, as many side by side as there will be trials: how fast steps and evaluations are here. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from 'simple-statistics';
import type { Probed, ProbeShape } from '../../../train/bench/probe.js';
import { packageRoot } from '../../../util/workspace.js';
import { nodeOptions } from '../../launch/launcher.js';

/** What one process says: that it could begin, and what it measured. */
export type ProbeMessage = { type: 'ready' } | { type: 'probed'; probed: Probed };

/** What the processes saw, each the median of them. */
export interface Seen extends Probed {
  /** Seconds from the start of a process to its first step. */
  start: number;
}

/** Longer waits tell less than they cost. */
const PATIENCE_MS = 30_000;
/** More processes than this tell no more of how they slow one another. */
const MOST = 8;

/** Undefined where no process could train: what is wrong is for the sweep itself to say. */
export async function probe(shape: ProbeShape, workers: number): Promise<Seen | undefined> {
  const entry = program();
  if (!entry) return undefined;
  const count = Math.min(workers, availableParallelism(), MOST);
  const seen = await Promise.all(Array.from({ length: count }, () => one(entry, shape)));
  const whole = seen.filter((one) => one !== undefined);
  if (whole.length === 0) return undefined;
  const of = (value: (one: Seen) => number) => median(whole.map(value));
  return {
    step: { ...whole[0]!.step, seconds: of(({ step }) => step.seconds) },
    secondsAUser: of(({ secondsAUser }) => secondsAUser),
    start: of(({ start }) => start),
  };
}

/** The built program, also where this file itself runs from its TypeScript source. */
function program(): string | undefined {
  const beside = fileURLToPath(new URL('./probe-process.js', import.meta.url));
  const built = join(packageRoot, 'dist', 'sweep', 'run', 'pace', 'probe-process.js');
  return [beside, built].find((path) => existsSync(path));
}

function one(entry: string, shape: ProbeShape): Promise<Seen | undefined> {
  return new Promise((resolve) => {
    const begun = performance.now();
    let start = 0;
    const child = fork(entry, [JSON.stringify(shape)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      execArgv: nodeOptions({}),
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    const end = (seen: Seen | undefined) => {
      clearTimeout(timer);
      resolve(seen);
    };
    child.on('message', (message: ProbeMessage) => {
      if (message.type === 'ready') start = (performance.now() - begun) / 1000;
      else {
        end({ ...message.probed, start });
        child.kill('SIGKILL');
      }
    });
    child.on('error', () => end(undefined));
    child.on('exit', () => end(undefined));
  });
}
