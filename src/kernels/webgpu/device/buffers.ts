/**
 * The buffers of tfjs's WebGPU backend, kept by size and use as tfjs keeps them, without asking Dawn for either: a question to
 * Dawn costs as much as a dispatch. Each has a number, by which what is bound to it is found again. Of the free ones that with the
 * lowest number is taken, so that steps that ask for the same in the same order get the same.
 */

interface Known {
  size: number;
  /** Where it lies when it is free. */
  pile: GPUBuffer[];
  number: number;
}

/** Stands in for tfjs's BufferManager. */
export class Buffers {
  numBytesUsed = 0;
  numBytesAllocated = 0;
  private used = 0;
  /** By size and use; numbers descend. */
  private readonly free = new Map<string, GPUBuffer[]>();
  private readonly known = new WeakMap<GPUBuffer, Known>();
  private readonly all = new Set<GPUBuffer>();
  private made = 0;

  constructor(private readonly device: GPUDevice) {}

  /** @param reuse whether one that was released will do. */
  acquireBuffer(size: number, usage: number, mappedAtCreation = false, reuse = true): GPUBuffer {
    const key = `${size} ${usage}`;
    const pile = this.free.get(key) ?? [];
    this.free.set(key, pile);
    let buffer = reuse ? pile.pop() : undefined;
    if (!buffer) {
      buffer = this.device.createBuffer({ size, usage, mappedAtCreation });
      this.known.set(buffer, { size, pile, number: this.made++ });
      this.all.add(buffer);
      this.numBytesAllocated += size;
    }
    this.used++;
    this.numBytesUsed += size;
    return buffer;
  }

  /** @param reuse false destroys it. */
  releaseBuffer(buffer: GPUBuffer, reuse = true): void {
    const about = this.known.get(buffer);
    if (!about || !this.all.has(buffer)) return;
    this.used--;
    this.numBytesUsed -= about.size;
    if (reuse) this.putBack(buffer, about);
    else {
      buffer.destroy();
      this.all.delete(buffer);
      this.numBytesAllocated -= about.size;
    }
  }

  /** For ever: it no longer counts as in use, and is never given to anybody else. */
  keep(buffer: GPUBuffer): void {
    this.used--;
    this.numBytesUsed -= this.sizeOf(buffer);
  }

  private putBack(buffer: GPUBuffer, { pile, number }: Known): void {
    let at = pile.length;
    while (at > 0 && this.numberOf(pile[at - 1]!) < number) at--;
    pile.splice(at, 0, buffer);
  }

  /** The same for the same buffer, and for no other one. */
  numberOf(buffer: GPUBuffer): number {
    return this.known.get(buffer)!.number;
  }

  sizeOf(buffer: GPUBuffer): number {
    return this.known.get(buffer)!.size;
  }

  getNumUsedBuffers(): number {
    return this.used;
  }

  getNumFreeBuffers(): number {
    return this.all.size - this.used;
  }

  dispose(): void {
    for (const buffer of this.all) buffer.destroy();
    this.all.clear();
    this.free.clear();
    this.used = 0;
    this.numBytesUsed = 0;
    this.numBytesAllocated = 0;
  }
}
