/**
 * Waiting for Dawn without giving the event loop up. Dawn delivers what has finished when Node's event loop gives it a turn,
 * which it asks for through setImmediate; the function that it hands over is good at any time, so a turn can be given here.
 */

/** Milliseconds between two looks, after the first few. */
const PAUSE_MS = 0.05;
const BUSY_LOOKS = 100;

const sleeper = new Int32Array(new SharedArrayBuffer(4));
let turn: (() => void) | undefined;

/** Runs `work` with setImmediate replaced. */
function withImmediate(replacement: (callback: () => void) => void, work: () => void): void {
  const original = globalThis.setImmediate;
  globalThis.setImmediate = replacement as unknown as typeof setImmediate;
  try {
    work();
  } finally {
    globalThis.setImmediate = original;
  }
}

/**
 * Learns Dawn's function from a first mapping, so that a version of Dawn with which this does not work is found at once.
 * To be called when Dawn has nothing under way: it asks for a turn only where none is due.
 */
export async function learnTurn(device: GPUDevice): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
  const buffer = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ });
  mapNow(buffer);
  buffer.destroy();
}

/** Maps a buffer for reading; afterwards its `mapState` is `mapped`, or else the device is lost. */
export function mapNow(buffer: GPUBuffer): void {
  let queued: (() => void) | undefined;
  withImmediate(
    // Dawn asks for its next turn in each turn; one request is kept and handed on at the end.
    (callback) => {
      turn ??= callback;
      queued = callback;
    },
    () => {
      buffer.mapAsync(GPUMapMode.READ).catch(() => {});
      if (!turn) throw new Error('this version of the package `webgpu` does not use setImmediate');
      for (let looks = 0; buffer.mapState === 'pending'; looks++) {
        if (looks > BUSY_LOOKS) Atomics.wait(sleeper, 0, 0, PAUSE_MS);
        turn();
      }
    },
  );
  if (queued) setImmediate(queued);
}
