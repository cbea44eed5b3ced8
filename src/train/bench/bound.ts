/**
 * What a device's data sheet allows: a dispatch takes at least the time to move its bytes, to do its operations, or to be
 * launched at all, whichever is longest (Williams et al. 2009, the roofline model), and dispatches follow one another.
 */
import type { DispatchRecord } from '../../kernels/webgpu/device/profile.js';
import { UserError } from '../../util/errors.js';

/** What bounds a device. */
export interface DeviceBound {
  name: string;
  /** Bytes a second of its memory. */
  bandwidth: number;
  /** Single-precision operations a second, without matrix units. */
  flops: number;
  /** Seconds of the shortest dispatch. */
  launch: number;
}

/** From the makers' data sheets; launches as a rule of thumb: a few microseconds of a GPU on its own card, more where it shares memory. */
const DEVICES: Record<string, DeviceBound> = {
  h100: { name: 'NVIDIA H100 SXM', bandwidth: 3.35e12, flops: 67e12, launch: 3e-6 },
  h200: { name: 'NVIDIA H200 SXM', bandwidth: 4.8e12, flops: 67e12, launch: 3e-6 },
  a100: { name: 'NVIDIA A100 80 GB', bandwidth: 2.0e12, flops: 19.5e12, launch: 3e-6 },
  rtx4090: { name: 'NVIDIA RTX 4090', bandwidth: 1.01e12, flops: 82e12, launch: 3e-6 },
  integrated: { name: 'integrated GPU (Intel Iris Xe)', bandwidth: 68e9, flops: 2.2e12, launch: 1e-5 },
};

export const DEVICE_NAMES = Object.keys(DEVICES);

/** @throws UserError for a name that is not in the list. */
export function deviceBound(name: string): DeviceBound {
  const device = DEVICES[name];
  if (!device)
    throw new UserError(`no figures of a device '${name}' are known`, {
      remedy: `Choose one of ${DEVICE_NAMES.join(', ')}.`,
    });
  return device;
}

/** The list's device whose name is in `adapter`; undefined where none is. */
export function boundOfAdapter(adapter: string): DeviceBound | undefined {
  const word = DEVICE_NAMES.find((name) => adapter.toLowerCase().replaceAll(' ', '').includes(name));
  return word === undefined ? undefined : DEVICES[word];
}

/** Least seconds of a dispatch, and which of the three it is. */
export function boundOf(
  { bytes, flops }: Pick<DispatchRecord, 'bytes' | 'flops'>,
  device: DeviceBound,
): { seconds: number; by: 'memory' | 'arithmetic' | 'launch' } {
  const memory = bytes / device.bandwidth;
  const arithmetic = flops / device.flops;
  const seconds = Math.max(memory, arithmetic, device.launch);
  return { seconds, by: seconds === device.launch ? 'launch' : seconds === memory ? 'memory' : 'arithmetic' };
}

/** All dispatches of one program, as a row of a profile. */
export interface ProgramTotal {
  program: string;
  dispatches: number;
  bytes: number;
  flops: number;
  /** On the GPU, each alone; undefined where it has no clock. */
  seconds: number | undefined;
  /** Least time on the device, and what that is made of. */
  bound: number;
  boundBy: Record<'memory' | 'arithmetic' | 'launch', number>;
}

/** Sums by program, the longest first. */
export function totalsByProgram(records: readonly DispatchRecord[], device: DeviceBound): ProgramTotal[] {
  const totals = new Map<string, ProgramTotal>();
  for (const record of records) {
    const { program } = record;
    const total = totals.get(program) ?? {
      program,
      dispatches: 0,
      bytes: 0,
      flops: 0,
      seconds: 0,
      bound: 0,
      boundBy: { memory: 0, arithmetic: 0, launch: 0 },
    };
    totals.set(program, total);
    const { seconds, by } = boundOf(record, device);
    total.dispatches++;
    total.bytes += record.bytes;
    total.flops += record.flops;
    total.seconds =
      total.seconds === undefined || record.seconds === undefined
        ? undefined
        : total.seconds + record.seconds;
    total.bound += seconds;
    total.boundBy[by] += seconds;
  }
  const weight = ({ seconds, bound }: ProgramTotal) => seconds ?? bound;
  return [...totals.values()].sort((a, b) => weight(b) - weight(a));
}
