/** The Python process with the PyTorch models: found, started, asked one thing at a time. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';

/** Seconds of the clock and of the processor, kernel time included. */
export interface Spent {
  clock: number;
  processor: number;
}

export interface Peer {
  /** Sends a command to peer.py. @throws Error when the process has ended. */
  ask<T>(command: Record<string, unknown>): Promise<T>;
  /** Waits until the process has ended. */
  close(): Promise<void>;
}

/** PERFLAW_PYTHON, else python3. */
export const PYTHON = process.env['PERFLAW_PYTHON'] ?? 'python3';

/** Why there is no peer here; undefined where there is one. */
export function missingPeer(): string | undefined {
  const { error, status, stderr } = spawnSync(PYTHON, ['-c', 'import torch'], { encoding: 'utf8' });
  if (error) return `${PYTHON} does not start (${error.message}); PERFLAW_PYTHON names another`;
  if (status === 0) return undefined;
  const reason = stderr.trim().split('\n').at(-1) ?? '';
  return `${PYTHON} cannot import torch (${reason}); \`pip install torch\`, or let PERFLAW_PYTHON name a Python that has it`;
}

export function startPeer(): Peer {
  const script = new URL('peer.py', import.meta.url).pathname;
  const child: ChildProcess = spawn(PYTHON, [script], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const lines: Interface = createInterface({ input: child.stdout! });
  const answers = lines[Symbol.asyncIterator]();
  return {
    async ask<T>(command: Record<string, unknown>): Promise<T> {
      child.stdin!.write(`${JSON.stringify(command)}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error(`the PyTorch side ended at ${JSON.stringify(command).slice(0, 120)}`);
      return JSON.parse(value) as T;
    },
    async close() {
      const ended = once(child, 'exit');
      child.stdin!.end();
      await ended;
      lines.close();
    },
  };
}
