/** `perflaw init DATA`: a commented sweep file fitted to the data and to the time there is. Trains nothing. */
import type { Argv } from 'yargs';
import { ExitCode } from '../util/errors.js';
import { formatCount, formatDuration } from '../util/format.js';
import { type Arguments, print, printJson } from './options/command.js';
import { readWishes, targetOf, wishOptions, writeDraft } from './options/wishes.js';

export function options(yargs: Argv): Argv {
  return wishOptions(yargs)
    .example('$0 init clicks.csv', 'clicks.yaml: a sweep for four hours, the reason of every choice above it')
    .example('$0 init ml-1m --hours 8 --params 50M --out my.yaml', 'For a night, and a model of at most 50M')
    .epilogue('Nothing is trained. `perflaw answer` does the same and goes on to an answer.');
}

export async function run(args: Arguments): Promise<number> {
  const wishes = readWishes(args);
  const target = await targetOf(args);
  const draft = await writeDraft(target, wishes, args);
  const { DEFAULT_HOURS } = await import('../sweep/init/init.js');
  const hours = wishes.hours ?? DEFAULT_HOURS;
  const { params, trials, workers, seconds } = draft;
  const { file, name } = target;
  if (args.json) {
    printJson({ file, name, hours, params, trials, workers, seconds, text: draft.text });
    return ExitCode.ok;
  }
  print(
    `${file}: ${trials} trials, at most ${formatDuration(seconds.whole)} of ${formatDuration(3600 * hours)} with ${workers} workers; what to train with at most ${formatCount(params)} parameters.`,
  );
  const open = [
    ...(wishes.hours === undefined ? [`${DEFAULT_HOURS} hours (--hours)`] : []),
    ...(wishes.params === undefined ? ['parameters up to the largest size measured (--params)'] : []),
  ];
  if (open.length > 0) print(`  Nothing else being said: ${open.join(', ')}.`);
  print(`  Look at it: perflaw sweep ${file} --dry-run`);
  print(`  Run it:     perflaw sweep ${file}, or to an answer at once: perflaw answer ${target.data}`);
  return ExitCode.ok;
}
