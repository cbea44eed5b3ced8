/** A map from pairs of small integers to integers in typed arrays: open addressing, emptied in O(1) by a new generation. */
export class PairTable {
  private first: Int32Array;
  private second: Int32Array;
  private value: Int32Array;
  private stamp: Int32Array;
  private mask: number;
  private generation = 0;
  private count = 0;

  constructor(capacity = 64) {
    const size = slotsFor(capacity);
    this.first = new Int32Array(size);
    this.second = new Int32Array(size);
    this.value = new Int32Array(size);
    this.stamp = new Int32Array(size);
    this.mask = size - 1;
  }

  /** Forgets everything; a small expected size keeps the next use within few cache lines. */
  reset(expected: number): void {
    const size = slotsFor(expected);
    if (size > this.stamp.length) this.allocate(size);
    this.mask = size - 1;
    this.count = 0;
    if (++this.generation === 0x7fffffff) {
      this.stamp.fill(0);
      this.generation = 1;
    }
  }

  /** The value of (a, b), or -1. */
  get(a: number, b: number): number {
    const slot = this.find(a, b);
    return this.stamp[slot] === this.generation ? this.value[slot]! : -1;
  }

  set(a: number, b: number, value: number): void {
    let slot = this.find(a, b);
    if (this.stamp[slot] !== this.generation) {
      if (2 * ++this.count > this.mask) {
        this.grow();
        slot = this.find(a, b);
      }
      this.stamp[slot] = this.generation;
      this.first[slot] = a;
      this.second[slot] = b;
    }
    this.value[slot] = value;
  }

  private find(a: number, b: number): number {
    let hash = Math.imul(a, 0x9e3779b1) ^ Math.imul(b + 0x7f4a7c15, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    let slot = (hash ^ (hash >>> 13)) & this.mask;
    while (this.stamp[slot] === this.generation && !(this.first[slot] === a && this.second[slot] === b))
      slot = (slot + 1) & this.mask;
    return slot;
  }

  private grow(): void {
    const { first, second, value, stamp, generation } = this;
    const used = this.mask + 1;
    this.allocate(2 * used);
    this.generation = 1;
    for (let slot = 0; slot < used; slot++) {
      if (stamp[slot] !== generation) continue;
      const to = this.find(first[slot]!, second[slot]!);
      this.stamp[to] = 1;
      this.first[to] = first[slot]!;
      this.second[to] = second[slot]!;
      this.value[to] = value[slot]!;
    }
  }

  private allocate(size: number): void {
    this.first = new Int32Array(size);
    this.second = new Int32Array(size);
    this.value = new Int32Array(size);
    this.stamp = new Int32Array(size);
    this.mask = size - 1;
    this.generation = 0;
  }
}

/** A power of two with room for `entries` at half load. */
function slotsFor(entries: number): number {
  let size = 16;
  while (size < 2 * entries + 2) size *= 2;
  return size;
}
