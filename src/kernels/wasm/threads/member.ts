/** One of the threads that run a program together, as the program sees itself and the others. */
import { awaitWord, type Control, Word } from './control.js';

/** What a program works on. */
export type Numbers = ArrayLike<number>;

export interface Member {
  /** From 0, which is the main thread. */
  readonly index: number;
  /** Threads that take part. */
  readonly size: number;
  /** The next of the numbers 0, 1, ...: each is given to one member. */
  claim(): number;
  /** Waits for all members. */
  barrier(): void;
  /** Says how far a chain is. */
  advance(chain: number, reached: number): void;
  /** Waits until a chain has come so far. */
  await(chain: number, reached: number): void;
}

/** The only member of a program on one thread: never waits. */
export function aloneMember(): Member {
  let claimed = 0;
  return { index: 0, size: 1, claim: () => claimed++, barrier() {}, advance() {}, await() {} };
}

export function crewMember(control: Control, index: number, size: number): Member {
  const { words } = control;
  return {
    index,
    size,
    claim: () => Atomics.add(words, Word.ticket, 1),
    barrier() {
      const arrived = Atomics.add(words, Word.barrier, 1) + 1;
      const all = Math.ceil(arrived / size) * size;
      if (arrived === all) Atomics.notify(words, Word.barrier);
      else awaitWord(control, Word.barrier, (value) => value >= all);
    },
    advance(chain, reached) {
      Atomics.store(words, Word.chain(chain), reached);
      Atomics.notify(words, Word.chain(chain));
    },
    await(chain, reached) {
      awaitWord(control, Word.chain(chain), (value) => value >= reached);
    },
  };
}
