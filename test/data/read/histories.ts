/** Events and their histories, for tests that read the same ones from many files. */
import type { Interactions } from '../../../src/data/interactions.js';
import { createRandom } from '../../../src/util/random.js';

export interface TestEvent {
  user: string;
  item: string;
  /** Unix seconds. */
  time: number;
}

/** Some users' events, in an order that is neither by user nor by time; no two of a user at the same second. */
export function someEvents(seed: string, users = 12, items = 15, each = 9): TestEvent[] {
  const random = createRandom(seed);
  const events: TestEvent[] = [];
  for (let u = 0; u < users; u++)
    for (let n = 0; n < each; n++)
      events.push({
        user: `u${u}`,
        item: `i${random.int(items)}`,
        time: 1_500_000_000 + n * 7_000_000 + random.int(6_000_000),
      });
  for (let i = events.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [events[i], events[j]] = [events[j]!, events[i]!];
  }
  return events;
}

/** Histories by identifiers. */
export function historiesOf(data: Interactions): Record<string, string[]> {
  return Object.fromEntries(
    data.userIds.map((id, u) => [
      id,
      Array.from(data.items.subarray(data.offsets[u]!, data.offsets[u + 1]!), (i) => data.itemIds[i]!),
    ]),
  );
}

/** The histories that events make. */
export function historiesFrom(events: readonly TestEvent[]): Record<string, string[]> {
  const histories: Record<string, string[]> = {};
  for (const { user, item } of [...events].sort((a, b) => a.time - b.time))
    histories[user] = [...(histories[user] ?? []), item];
  return histories;
}
