/** Inputs of the gated selective scan, drawn as a trained model's lie, and our results for the other side to meet. */
import * as tf from '@tensorflow/tfjs';
import { type ScanInputs, selectiveScan } from '../../../src/kernels/selective-scan/op.js';
import { stored, writeTensors } from './ours.js';

export interface TimedScan {
  /** Forward and backward. */
  run(): Promise<void>;
  /** Inputs, dy, y and all gradients. */
  write(path: string): Promise<void>;
  dispose(): void;
}

export function createScan(rows: number, length: number, channels: number, states: number): TimedScan {
  const wide: [number, number, number] = [rows, length, channels];
  const narrow: [number, number, number] = [rows, length, states];
  const inputs = {
    x: tf.randomNormal(wide, 0, 1, 'float32', 1),
    delta: tf.randomNormal(wide, -3, 1, 'float32', 2),
    A: tf.tidy(() => tf.neg(tf.tile(tf.range(1, states + 1).reshape([1, states]), [channels, 1]))),
    B: tf.randomNormal(narrow, 0, 1, 'float32', 3),
    C: tf.randomNormal(narrow, 0, 1, 'float32', 4),
    D: tf.ones([channels]),
    z: tf.randomNormal(wide, 0, 1, 'float32', 5),
    deltaBias: tf.zeros([channels]),
  };
  const dy = tf.randomNormal(wide, 0, 1, 'float32', 6);
  const names = Object.keys(inputs);
  const tensors = Object.values(inputs) as tf.Tensor[];
  const forward = (...list: tf.Tensor[]) =>
    selectiveScan(Object.fromEntries(names.map((name, i) => [name, list[i]])) as unknown as ScanInputs, true);
  const both = () =>
    tf.tidy(() => tf.valueAndGrads((...list) => tf.sum(tf.mul(forward(...list), dy)))(tensors));
  return {
    async run() {
      const gradients = tf.tidy(() => tf.grads(forward)(tensors, dy));
      await gradients[0]!.data();
      tf.dispose(gradients);
    },
    async write(path) {
      const { grads } = both();
      const y = tf.tidy(() => forward(...tensors));
      const all: [string, tf.Tensor][] = [
        ...names.map((name, i) => [name, tensors[i]!] as [string, tf.Tensor]),
        ['dy', dy],
        ['y', y],
        ...names.map((name, i) => [`d${name}`, grads[i]!] as [string, tf.Tensor]),
      ];
      writeTensors(
        path,
        new Map(await Promise.all(all.map(async ([n, t]) => [n, await stored(t)] as const))),
      );
      tf.dispose([...grads, y]);
    },
    dispose: () => tf.dispose([...tensors, dy]),
  };
}
