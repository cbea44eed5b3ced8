/** Sequence text: one line a user, `user item item ...`, items in order. A user on several lines goes on where it stopped. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileError, UserError } from '../../../util/errors.js';
import { type Identifier, identifier } from '../../import/raw.js';
import type { Rows, UseRow } from '../rows.js';
import type { Source } from './source.js';

export interface SequenceText {
  delimiter: string;
  skip: number;
  /** Lines that are not empty, by the scan of the bytes. */
  lines: number;
}

/** Rows of sequence text; counted as interactions only once they were handed over. */
export async function sequenceRows(source: Source, text: SequenceText, notes: string[]): Promise<Rows> {
  notes.push('Read as sequences: a user, then its items in order, on each line.');
  notes.push(`${text.lines} rows read.`);
  const counts = { rows: text.lines, conditions: [], kept: text.lines };
  return {
    hasTime: false,
    hasOrder: false,
    mayOrder: [],
    counts,
    inFileOrder: (use) => eachLine(source, text, (user, items) => hand(user, items, use)),
    byHistory: async (use) => {
      const histories = new Map<Identifier, Identifier[]>();
      await eachLine(source, text, (user, items) => {
        const before = histories.get(user);
        if (before) for (const item of items) before.push(item);
        else histories.set(user, items);
      });
      for (const [user, items] of histories) hand(user, items, use);
    },
  };
}

function hand(user: Identifier, items: readonly Identifier[], use: UseRow): void {
  for (const item of items) use(user, item, 0, 0);
}

/** @throws UserError where a line has no item, pairs of item and value, or fewer lines come than were counted. */
async function eachLine(
  { path, place }: Source,
  { delimiter, skip, lines: counted }: SequenceText,
  use: (user: Identifier, items: Identifier[]) => void,
): Promise<void> {
  const input = createReadStream(path);
  let failure: unknown;
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  // An error of the file must end the lines too, or the loop below would wait for ever.
  input.on('error', (error) => {
    failure = error;
    lines.close();
  });
  let number = 0;
  let read = 0;
  let pairs = 0;
  let firstPair = 0;
  for await (const line of lines) {
    number++;
    if (number <= skip || line.length === 0) continue;
    read++;
    const text = number === 1 ? line.replace(/^\uFEFF/, '') : line;
    const fields = text.split(delimiter === ' ' ? /\s+/ : delimiter).map((field) => field.trim());
    const present = fields.filter((field) => field !== '');
    if (present.length === 0) continue;
    if (present.length === 1)
      throw new UserError(`user ${JSON.stringify(present[0]!.slice(0, 60))} has no items`, {
        place: `${place}:${number}`,
        remedy: 'Write a user and its items on each line.',
      });
    const items = present.slice(1);
    if (items.every((item) => /^\w+:-?\d+(\.\d+)?$/.test(item)) && pairs++ === 0) firstPair = number;
    use(identifier(present[0]!), items.map(identifier));
  }
  if (failure) throw fileError(failure, place, 'read this file');
  if (read !== counted)
    throw new UserError(`only ${read} of ${counted} lines could be read`, {
      place,
      remedy: 'The file changed while it was read, or is damaged; try again.',
    });
  if (pairs > 0.9 * read)
    throw new UserError('the items are pairs such as item:rating', {
      place: `${place}:${firstPair}`,
      remedy: 'Write the items alone, in order.',
    });
}
