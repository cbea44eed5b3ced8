/** Which process is that, and does it still live? Process numbers are reused, so a number alone proves nothing. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { shortHash } from '../../util/hash.js';
import { batchJob } from '../launch/batch-jobs.js';

export interface ProcessIdentity {
  pid: number;
  /** When the process started, as its system tells it: compared, never interpreted. */
  started: string;
  /** The running system that knows this process number: host, boot and process namespace. */
  machine: string;
  host: string;
  /** The batch system's job, such as `cluster:123_4`, and how often it was put back into the queue: only one of its runs is ever alive. */
  job?: string;
  restarts?: number;
}

function thisMachine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return shortHash([hostname(), boot, readlinkSync('/proc/self/ns/pid')]);
  } catch {
    return shortHash([hostname(), process.platform]);
  }
}

/** When process `pid` of this machine started, or undefined when there is none (a zombie is none). */
function startOf(pid: number): string | undefined {
  if (process.platform === 'linux')
    try {
      // The command's name stands in parentheses and may hold spaces; the state follows it, the start is 19 fields on.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  const asked = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return asked.stdout?.trim() || undefined;
}

let own: ProcessIdentity | undefined;

export function ownIdentity(): ProcessIdentity {
  own ??= {
    pid: process.pid,
    started: startOf(process.pid) ?? '',
    machine: thisMachine(),
    host: hostname(),
    ...batchJob(),
  };
  return own;
}

/** Whether that process lives; `unknown` for a process of another machine, unless it was an earlier run of this one's job. */
export function liveness(owner: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const own = ownIdentity();
  if (owner.machine !== own.machine) {
    // A batch system starts a job again only when nothing of its earlier run is left.
    const earlier = owner.job !== undefined && owner.job === own.job && owner.restarts! < own.restarts!;
    return earlier ? 'dead' : 'unknown';
  }
  const started = startOf(owner.pid);
  if (started !== undefined) return started === owner.started ? 'alive' : 'dead';
  // Some systems hide other users' processes: one that can be signalled, or may not be, is there.
  return isThere(owner.pid) ? 'unknown' : 'dead';
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isZombie(pid: number): boolean {
  try {
    return /\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
