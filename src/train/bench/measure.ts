/** Measures training steps on the open backend: time, dispatches, bytes, reads, and what a device's bounds make of them. */
import { currentDevice, profileWork } from '../../kernels/backend.js';
import { boundOf, boundOfAdapter, type DeviceBound, type ProgramTotal, totalsByProgram } from './bound.js';
import { type BenchShape, createStepBench } from './step-bench.js';

export interface StepMeasure {
  model: string;
  dim: number;
  layers: number;
  rows: number;
  length: number;
  items: number;
  backend: string;
  device: string | undefined;
  /** Of a step among others, median over rounds. */
  seconds: number;
  tokensPerSecond: number;
  /** Loss of the last step: a number that is none would make the time worthless. */
  loss: number;
  /** Operations of a step by model/size.ts, in the time measured. */
  flopsPerSecond: number;
  gpu?: GpuMeasure;
}

/** What one step has the GPU do. */
export interface GpuMeasure {
  dispatches: number;
  bytes: number;
  /** Waits for values of the GPU within a step. */
  reads: number;
  /** Sum of the dispatches' own times, each alone; undefined where the device has no clock. */
  busySeconds: number | undefined;
  bound: { device: string; seconds: number };
  programs: ProgramTotal[];
}

export interface MeasureOptions {
  steps: number;
  rounds: number;
  /** Whose bounds are counted; the open device's where it is known, else an H100's. */
  bound: DeviceBound | undefined;
  fallback: DeviceBound;
}

/** Builds the step, warms it up, and measures. */
export async function measureStep(
  shape: BenchShape,
  { steps, rounds, bound, fallback }: MeasureOptions,
): Promise<StepMeasure> {
  const bench = await createStepBench(shape);
  try {
    const { config, tokens, flops } = bench;
    let loss = Number.NaN;
    for (let i = 0; i < 3; i++) await bench.run();
    loss = await bench.finish();
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      for (let i = 0; i < steps; i++) await bench.run();
      loss = await bench.finish();
      times.push((performance.now() - begun) / 1000 / steps);
    }
    const seconds = times.sort((a, b) => a - b)[times.length >> 1]!;
    const device = currentDevice();
    const { name, dim, layers, maxLength } = config.model;
    const against = bound ?? (device && boundOfAdapter(device.name)) ?? fallback;
    const profile = await profileWork(() => bench.record());
    await bench.finish();
    return {
      model: name,
      dim,
      layers,
      rows: shape.rows,
      length: maxLength,
      items: shape.items,
      backend: shape.backend,
      device: device?.name,
      seconds,
      tokensPerSecond: tokens / seconds,
      loss,
      flopsPerSecond: flops / seconds,
      ...(profile && {
        gpu: {
          dispatches: profile.dispatches.length,
          bytes: sum(profile.dispatches.map((d) => d.bytes)),
          reads: profile.reads,
          busySeconds: profile.dispatches.every((d) => d.seconds !== undefined)
            ? sum(profile.dispatches.map((d) => d.seconds!))
            : undefined,
          bound: {
            device: against.name,
            seconds: sum(profile.dispatches.map((d) => boundOf(d, against).seconds)),
          },
          programs: totalsByProgram(profile.dispatches, against),
        },
      }),
    };
  } finally {
    bench.dispose();
  }
}

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
