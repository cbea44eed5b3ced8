/**
 * Counts and times what a piece of work has the GPU do: every dispatch by its program, tfjs's own too, with the bytes of the
 * tensors that it binds, the operations that its kernel names, and the time that the GPU took (timestamp queries, where the
 * device has them); and every read, for which the program waits.
 */
import { sizeOf } from '../../shapes.js';
import type { DispatchObserver, WebgpuBackend } from '../backend.js';
import { mapNow } from './turns.js';

/** What a dispatch did. */
export interface DispatchRecord {
  /** The program's name; of tfjs's own with `tfjs ` in front. */
  program: string;
  workgroups: number;
  /** What it must move: every tensor that it binds once, or what its kernel says. */
  bytes: number;
  /** Operations that it must do, where its kernel says so. */
  flops: number;
  /** On the GPU, alone; undefined where the device has no clock. */
  seconds: number | undefined;
}

export interface Profile {
  dispatches: DispatchRecord[];
  /** Times that the program waited for values of the GPU. */
  reads: number;
}

/** WebGPU's own limit on the entries of a query set. */
const MOST_QUERIES = 4096;
const BYTES = 4;

/**
 * Runs `work` and says what it had the GPU do. Timed dispatches run one by one, so the whole takes longer than without.
 * @param timed false counts only, and disturbs nothing.
 */
export function profileDispatches(backend: WebgpuBackend, work: () => void, timed = true): Profile {
  const { device } = backend;
  const clock =
    timed && device.features.has('timestamp-query')
      ? device.createQuerySet({ type: 'timestamp', count: MOST_QUERIES })
      : undefined;
  const profile: Profile = { dispatches: [], reads: 0 };
  const { dispatches } = profile;
  const observer: DispatchObserver = {
    begin() {
      const at = 2 * dispatches.length;
      if (!clock || at + 2 > MOST_QUERIES) return;
      backend.endComputePassEncoder();
      backend.computePassEncoder = backend.commandEncoder!.beginComputePass({
        timestampWrites: {
          querySet: clock,
          beginningOfPassWriteIndex: at,
          endOfPassWriteIndex: at + 1,
        },
      });
    },
    end(program, tensors, workgroups, { flops = 0, bytes = BYTES * sum(tensors.map(sizeOf)) } = {}) {
      dispatches.push({ program, workgroups, bytes, flops, seconds: undefined });
      if (clock) backend.endComputePassEncoder();
    },
    read() {
      profile.reads++;
    },
  };
  const record = backend.recordAndSubmit;
  backend.recordAndSubmit = (program, output, inputs, uniforms) => {
    const name = `tfjs ${program.constructor.name.replace(/Program\d*$/, '')}`;
    const { dispatch } = program as { dispatch: number[] };
    backend.ensureCommandEncoderReady();
    observer.begin();
    record.call(backend, program, output, inputs, uniforms);
    observer.end(
      name,
      [...inputs, output],
      dispatch.reduce((a, b) => a * b, 1),
    );
  };
  backend.observer = observer;
  try {
    work();
    if (clock) setTimes(backend, clock, dispatches);
  } finally {
    backend.observer = undefined;
    backend.recordAndSubmit = record;
    clock?.destroy();
  }
  return profile;
}

function setTimes(backend: WebgpuBackend, clock: GPUQuerySet, dispatches: DispatchRecord[]): void {
  const { device } = backend;
  const count = Math.min(MOST_QUERIES, 2 * dispatches.length);
  if (count === 0) return;
  const usage = GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC;
  const resolved = device.createBuffer({ size: 8 * count, usage });
  const staging = device.createBuffer({
    size: 8 * count,
    usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
  });
  backend.ensureCommandEncoderReady();
  backend.endComputePassEncoder();
  backend.commandEncoder!.resolveQuerySet(clock, 0, count, resolved, 0);
  backend.commandEncoder!.copyBufferToBuffer(resolved, 0, staging, 0, 8 * count);
  backend.submitQueue();
  mapNow(staging);
  const nanoseconds = new BigUint64Array(staging.getMappedRange());
  for (let i = 0; 2 * i + 1 < count; i++)
    dispatches[i]!.seconds = Number(nanoseconds[2 * i + 1]! - nanoseconds[2 * i]!) / 1e9;
  staging.destroy();
  resolved.destroy();
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
