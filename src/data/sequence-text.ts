/** Sequence text: one line a user, `user item item ...`, items in order. A user on several lines goes on where it stopped. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import { fileError, UserError } from '../util/errors.js';
import { identifier, RawCollector, type RawInteractions } from './raw.js';

/**
 * Reads the file line by line.
 * @throws UserError where a line has no item, or the file cannot be read.
 */
export async function readSequenceText(
  path: string,
  delimiter: string,
  gzip: boolean,
): Promise<RawInteractions> {
  const collector = new RawCollector(false, false);
  const file = createReadStream(path);
  const input: NodeJS.ReadableStream & { destroy(error?: Error): unknown } = gzip
    ? file.pipe(createGunzip())
    : file;
  // An error of the file must end the lines too, or the loop below would wait for ever.
  if (gzip) file.on('error', (error) => input.destroy(error));
  let failure: unknown;
  input.on('error', (error) => {
    failure = error;
    lines.close();
  });
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    number++;
    const fields = line.split(delimiter === ' ' ? /\s+/ : delimiter).map((field) => field.trim());
    const present = fields.filter((field) => field !== '');
    if (present.length === 0) continue;
    if (present.length === 1)
      throw new UserError(`user ${JSON.stringify(present[0]!.slice(0, 60))} has no items`, {
        place: `${path}:${number}`,
        remedy: 'Write a user and its items on each line.',
      });
    const user = identifier(present[0]!);
    for (let i = 1; i < present.length; i++) collector.add(user, identifier(present[i]!), 0, 0);
  }
  if (failure) throw fileError(failure, path, 'read this file');
  return collector.finish();
}
