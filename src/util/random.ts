/**
 * Seeded randomness. A stream is named by a text, so that every use (initial weights, shuffling, dropout, slices) has its
 * own stream and adding one never shifts another. The name is hashed first: the first draws of xoroshiro128+ are nearly
 * constant for small integer seeds.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';

export interface Random {
  /** Uniform on [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer on [0, n). */
  int(n: number): number;
  /** Standard normal deviate (Box-Muller; the second deviate of a pair is not kept, so the state is the generator's alone). */
  normal(): number;
  /** A 32-bit integer, for instance a kernel's seed. */
  bits(): number;
  /** Fisher-Yates in place; returns its argument. */
  shuffle<T extends { length: number; [index: number]: unknown }>(array: T): T;
  /** The four words to hand to `randomFromState`: a stream goes on from there bit for bit. */
  state(): number[];
}

/** The stream of that name: equal names give equal streams on every machine. */
export function createRandom(...name: (string | number)[]): Random {
  const digest = createHash('sha256').update(name.join('/')).digest();
  return randomFromState([0, 4, 8, 12].map((at) => digest.readInt32LE(at)));
}

/** Continues a stream from what its `state()` returned. */
export function randomFromState(words: readonly number[]): Random {
  const generator = xoroshiro128plusFromState(words);
  const random: Random = {
    uniform: () => uniformFloat64(generator),
    int: (n) => uniformInt(generator, 0, n - 1),
    normal: () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()),
    bits: () => generator.next(),
    shuffle: (array) => {
      const values = array as { [index: number]: unknown };
      for (let i = array.length - 1; i > 0; i--) {
        const j = random.int(i + 1);
        const kept = values[i];
        values[i] = values[j];
        values[j] = kept;
      }
      return array;
    },
    state: () => [...generator.getState()],
  };
  return random;
}
