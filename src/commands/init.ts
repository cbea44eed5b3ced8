/** `perflaw init DATA`: a commented sweep file fitted to the data and to the time there is. Trains nothing. */
import type { Argv } from 'yargs';
import { ExitCode } from '../util/errors.js';
import { type Arguments, print, printJson } from './options/command.js';
import { draftWords, readWishes, targetOf, wishOptions, writeDraft } from './options/wishes.js';

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
  const { file, name, data } = target;
  if (args.json) {
    const { hours, params, trials, workers, seconds, text } = draft;
    printJson({ file, name, hours, params, trials, workers, seconds, text });
    return ExitCode.ok;
  }
  for (const text of draftWords(target, wishes, draft)) print(text);
  print(`  Look at it: perflaw sweep ${file} --dry-run`);
  print(
    `  Run it:     perflaw sweep ${file}, or to an answer at once: perflaw answer ${data}${args['out'] === undefined ? '' : ` --out ${file}`}`,
  );
  return ExitCode.ok;
}
