/** The section `slurm:` of a sweep file: what jobs ask for. Strict as the rest; nothing here is part of a trial's identity. */
import { z } from 'zod';
import { bytes, duration, named, text, whole } from '../../../util/fields.js';
import type { Settings } from '../kind.js';

const WORD = /^[A-Za-z0-9_.,:@/+=&|*()[\]-]+$/;
const word = (name: string, description: string) =>
  text(WORD, `expected the ${name} as sbatch takes it: one word without quotes`, description);

/** Written by perflaw itself, or the end of what it relies on. */
const OWN_OPTIONS =
  /^--(array|output|error|job-name|wrap|parsable|open-mode|signal|chdir|input|test-only|wait|nodes|ntasks)(=|$)/;

const GPUS = { error: 'expected a number of GPUs, or a kind with a number such as a100:1' };
const list = (example: string) => named(`a list, such as ${example}`);

export const slurmFields = {
  partition: word('partition', 'Partition, or several with commas'),
  account: word('account', 'Account that is charged'),
  qos: word('quality of service', 'Quality of service'),
  constraint: word('constraint', 'Features that a node must have'),
  gpus: z
    .union(
      [
        z.number().int(GPUS).min(1, GPUS).max(99, GPUS).transform(String),
        z.string().regex(/^([A-Za-z0-9_.-]+:)?[1-9][0-9]?$/, GPUS),
      ],
      { error: () => GPUS.error },
    )
    .meta({ description: 'GPUs of a job: a number, or a kind with a number such as a100:1' }),
  cpus: whole({ min: 1, max: 1024 }, 'Cores of a job; threads, or 1, where absent'),
  memory: bytes('Memory of a job; a tenth more than limits.memory where absent'),
  time: duration('Longest time of a job; five minutes more than limits.time where absent'),
  grace: duration('How long before its end a job is told to write its checkpoint and leave (1min)'),
  concurrent: whole({ min: 1, max: 1_000_000 }, 'Most jobs of an array at the same time'),
  node: text(
    /^[^\0\n]+$/,
    'expected the path of a program',
    'The program Node on the nodes; the one that runs the command',
  ),
  environment: z
    .record(
      z.string(),
      z
        .union([z.string().regex(/^[^\0]*$/), z.number()], { error: () => 'expected a text or a number' })
        .transform(String),
      { error: named('variables such as {OMP_NUM_THREADS: 1}') },
    )
    .superRefine((variables, context) => {
      for (const name of Object.keys(variables))
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
          context.addIssue({
            code: 'custom',
            path: [name],
            message: 'expected a name of letters, digits and underscores',
          });
    })
    .meta({ description: 'Environment variables of the jobs' }),
  setup: z
    .array(text(/^[^\0]+$/, 'expected a line of shell', 'A line of shell'), {
      error: list('[module load nodejs]'),
    })
    .meta({ description: 'Lines of shell before the program starts: modules, environments' }),
  options: z
    .array(
      text(
        /^--[a-z][a-z0-9-]*(=[^\s"'\\#\0]+)?$/,
        'expected an option of sbatch such as --exclude=node7',
        'An option of sbatch',
      ).refine((option) => !OWN_OPTIONS.test(option), { error: 'perflaw sets this option itself' }),
      { error: list('[--exclude=node7]') },
    )
    .meta({ description: 'Further options of sbatch' }),
};

/** What the jobs of a sweep ask for; nothing is required. */
export type SlurmSettings = Settings<typeof slurmFields>;
