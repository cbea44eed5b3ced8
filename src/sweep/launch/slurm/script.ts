/** The batch script of a job array: one task a trial. It is written to be read, and to be submitted by hand if need be. */
import { UserError } from '../../../util/errors.js';
import { shellWord } from '../../../util/shell.js';
import type { SlurmSettings } from './fields.js';

export const DEFAULT_GRACE_SECONDS = 60;

export interface ScriptFacts {
  sweep: string;
  /** The job's name: of letters, digits, dots, dashes and underscores. */
  job: string;
  version: string;
  tasks: number;
  /** The sweep's folder and the workspace, absolute, as the nodes see them too. */
  path: string;
  workspace: string;
  /** The Node program and what it runs, with their options, before sweep folder and trial. */
  command: readonly string[];
  /** Options of the trial's program. */
  options: readonly string[];
  settings: SlurmSettings;
}

/**
 * A path for sbatch's --output, in which % begins a pattern.
 * @throws UserError when sbatch has no way to write it.
 */
export function outputPattern(folder: string): string {
  for (const [character, name] of [
    ['\\', 'backslash'],
    ['\n', 'line break'],
  ])
    if (folder.includes(character!))
      throw new UserError(`Slurm cannot write to a folder with a ${name} in its path`, {
        place: folder,
        remedy: 'Choose another folder with --out.',
      });
  return `${folder.replaceAll('%', '%%')}/%a.log`;
}

/** The script. Tasks are numbered from 0; line number + 1 of trials.txt beside it names a task's trial. */
export function batchScript(facts: ScriptFacts): string {
  const { settings, tasks } = facts;
  const minutes = (seconds: number) => Math.max(1, Math.ceil(seconds / 60));
  const directives: [string, string | number | undefined][] = [
    ['job-name', facts.job],
    ['array', `0-${tasks - 1}${settings.concurrent === undefined ? '' : `%${settings.concurrent}`}`],
    ['partition', settings.partition],
    ['account', settings.account],
    ['qos', settings.qos],
    ['constraint', settings.constraint],
    ['gres', settings.gpus === undefined ? undefined : `gpu:${settings.gpus}`],
    ['nodes', 1],
    ['ntasks', 1],
    ['cpus-per-task', settings.cpus ?? 1],
    ['mem', settings.memory === undefined ? undefined : `${Math.ceil(settings.memory / 2 ** 20)}M`],
    ['time', settings.time === undefined ? undefined : minutes(settings.time)],
    ['signal', `B:USR2@${Math.ceil(settings.grace ?? DEFAULT_GRACE_SECONDS)}`],
  ];
  const lines = directives.flatMap(([name, value]) => (value === undefined ? [] : [`--${name}=${value}`]));
  lines.push('--open-mode=append', '--requeue', '--output=%a.log', ...(settings.options ?? []));
  const variables = { PERFLAW_HOME: facts.workspace, ...settings.environment };
  const words = [...facts.command, facts.path];
  return `#!/bin/bash
# Sweep ${facts.sweep}: ${tasks} ${tasks === 1 ? 'trial' : 'trials'}, a task each. Line SLURM_ARRAY_TASK_ID + 1 of trials.txt names a task's trial;
# its output goes to the trial's log.txt, to which <task>.log is a link. Written by perflaw ${facts.version}; by hand, submit it in
# its folder. A trial that has its result, or that another job works on, is left alone.
${lines.map((line) => `#SBATCH ${line}`).join('\n')}

trial=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" trials.txt)
cd ${shellWord(facts.workspace)} || exit
${Object.entries(variables)
  .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
  .join('')}${(settings.setup ?? []).map((line) => `${line}\n`).join('')}
# In the shell's place, so that Slurm's signals reach it: TERM (cancelled, preempted, requeued) and USR2 (time is nearly up)
# both mean: write a checkpoint and leave.
exec ${words.map(shellWord).join(' ')} "$trial" ${facts.options.map(shellWord).join(' ')}
`;
}
