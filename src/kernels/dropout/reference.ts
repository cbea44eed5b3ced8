/**
 * Which elements dropout keeps: a hash of (seed, index), the finaliser of MurmurHash3 over a Weyl sequence. A function of
 * its arguments alone, so every backend drops the same elements and a resumed run drops what the first one would have.
 */

/** 32-bit threshold below which the hash means "dropped". */
export function dropoutThreshold(rate: number): number {
  return Math.round(rate * 2 ** 32) >>> 0;
}

/** 1 / (1 - rate) where kept, 0 where dropped, for n elements. */
export function dropoutMask(n: number, rate: number, seed: number): Float32Array {
  const threshold = dropoutThreshold(rate);
  const scale = Math.fround(1 / (1 - rate));
  const mask = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let h = (Math.imul(i, 0x9e3779b9) + seed) | 0;
    h ^= h >>> 16;
    h = Math.imul(h, 0x85ebca6b);
    h ^= h >>> 13;
    h = Math.imul(h, 0xc2b2ae35);
    h ^= h >>> 16;
    mask[i] = h >>> 0 >= threshold ? scale : 0;
  }
  return mask;
}
