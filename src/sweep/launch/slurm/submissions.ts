/**
 * What was submitted for a sweep, so that a command which comes back finds its jobs again: a folder an array under
 * <sweep>/slurm/, with the script, `trials.txt` (line i + 1: the trial of task i), `job.txt` (Slurm's number of the array, once
 * it has one), `ended.txt` (tasks accounted for, a line each) and links to the trials' logs.
 */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileError } from '../../../util/errors.js';
import { writeAtomic } from '../../../util/files.js';

export interface Submission {
  /** Name of its folder and, with the sweep's before it, of its job. */
  name: string;
  folder: string;
  /** Trial of each task. */
  trials: string[];
  /** Undefined where the command died before Slurm had answered, or before that was written down. */
  job: string | undefined;
  /** What became of tasks, by number. */
  ended: Map<number, string>;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

function readEnded(folder: string): Map<number, string> {
  const lines = read(join(folder, 'ended.txt')).matchAll(/^([0-9]+) (.+)$/gm);
  return new Map([...lines].map(([, index, word]) => [Number(index), word!]));
}

export class Submissions {
  readonly folder: string;

  constructor(path: string) {
    this.folder = join(path, 'slurm');
  }

  /** Every submission, the oldest first. Lines that are no trials or no numbers are not believed. */
  all(): Submission[] {
    let names: string[];
    try {
      names = readdirSync(this.folder).filter((name) => /^[0-9]+-[0-9a-f]{6}$/.test(name));
    } catch {
      return [];
    }
    return names
      .sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1))
      .map((name) => {
        const folder = join(this.folder, name);
        return {
          name,
          folder,
          trials: read(join(folder, 'trials.txt')).split('\n').filter(Boolean),
          job: /^[0-9]+/.exec(read(join(folder, 'job.txt')))?.[0],
          ended: readEnded(folder),
        };
      })
      .filter(({ trials }) => trials.length > 0 && trials.every((id) => /^[0-9a-f]{10}$/.test(id)));
  }

  /**
   * Makes the folder of a new submission; `script` is told its name.
   * @throws UserError when the folder cannot be written.
   */
  add(trials: readonly string[], script: (name: string) => string): Submission {
    const number = Math.max(0, ...this.all().map(({ name }) => Number.parseInt(name, 10))) + 1;
    const name = `${number}-${randomBytes(3).toString('hex')}`;
    const folder = join(this.folder, name);
    try {
      mkdirSync(folder, { recursive: true });
      trials.forEach((id, index) => {
        symlinkSync(join('..', '..', 'trials', id, 'log.txt'), join(folder, `${index}.log`));
      });
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // No links on this file system: the logs then lie here.
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP')
        throw fileError(error, folder, 'make this folder');
    }
    writeAtomic(join(folder, 'trials.txt'), `${trials.join('\n')}\n`);
    writeAtomic(join(folder, 'array.sbatch'), script(name));
    return { name, folder, trials: [...trials], job: undefined, ended: new Map() };
  }

  /** Notes Slurm's number of a submission. */
  submitted(submission: Submission, job: string): void {
    submission.job = job;
    writeAtomic(join(submission.folder, 'job.txt'), `${job}\n`);
  }

  /** Forgets a submission that was refused. */
  discard({ folder }: Submission): void {
    rmSync(folder, { recursive: true, force: true });
  }

  /** What another command noted meanwhile of a task. */
  endOf(submission: Submission, index: number): string | undefined {
    return submission.ended.get(index) ?? readEnded(submission.folder).get(index);
  }

  /** Notes that a task is accounted for: nobody has to wait for it or to ask after it again. */
  end(submission: Submission, index: number, word: string): void {
    if (submission.ended.has(index)) return;
    submission.ended.set(index, word);
    try {
      appendFileSync(join(submission.folder, 'ended.txt'), `${index} ${word}\n`);
    } catch (error) {
      throw fileError(error, join(submission.folder, 'ended.txt'), 'write this file');
    }
  }
}
