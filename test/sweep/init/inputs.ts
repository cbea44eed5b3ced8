/** Data sets as different as people bring them, made of plain numbers. */
import { hashContent, type Interactions } from '../../../src/data/interactions.js';
import { generateSynthetic, type SyntheticOptions } from '../../../src/data/synthetic.js';
import { createRandom } from '../../../src/util/random.js';

/** The embedded generator's data under a name. */
export const generated = (name: string, options: SyntheticOptions): Interactions => ({
  ...generateSynthetic(options),
  name,
});

/** Short histories over a catalogue most of which is rare; without a clock. */
export function wideCatalogue(
  name: string,
  numItems: number,
  numUsers: number,
  length: number,
): Interactions {
  const random = createRandom('wide-catalogue');
  const offsets = Int32Array.from({ length: numUsers + 1 }, (_, u) => u * length);
  const items = Int32Array.from(
    { length: numUsers * length },
    () => 1 + Math.floor(numItems * random.uniform() ** 3),
  );
  const content = { numUsers, numItems, offsets, items, timestamps: null };
  return {
    name,
    hash: hashContent(content),
    ...content,
    userIds: Array.from({ length: numUsers }, (_, u) => `u${u}`),
    itemIds: Array.from({ length: numItems + 1 }, (_, i) => (i === 0 ? '' : `i${i}`)),
  };
}
