/**
 * A model's weights: named variables in a fixed order, under the upstream names and in PyTorch's shapes (Linear
 * [out, in], Conv1d [channels, 1, width]), so that checkpoints load without a table of renamings.
 */
import * as tf from '@tensorflow/tfjs';
import { createRandom, type Random } from '../util/random.js';
import { encodeSafetensors } from './files/safetensors.js';

export class Weights {
  private readonly variables = new Map<string, tf.Variable>();

  /** Adds a variable filled by `fill(index)`. */
  add(name: string, shape: number[], fill: (index: number) => number): void {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => fill(i));
    this.variables.set(
      name,
      tf.tidy(() => tf.variable(tf.tensor(values, shape), true)),
    );
  }

  /** @throws Error when there is no such weight. */
  get<T extends tf.Tensor>(name: string): T {
    const variable = this.variables.get(name);
    if (!variable) throw new Error(`the model has no weight '${name}'`);
    return variable as tf.Tensor as T;
  }

  names(): string[] {
    return [...this.variables.keys()];
  }

  list(): tf.Variable[] {
    return [...this.variables.values()];
  }

  /** Shapes by name. */
  shapes(): Map<string, number[]> {
    return new Map([...this.variables].map(([name, variable]) => [name, variable.shape]));
  }

  /** Number of parameters. */
  size(): number {
    return this.list().reduce((sum, variable) => sum + variable.size, 0);
  }

  /** Copies of all values, by name. */
  read(): Map<string, Float32Array> {
    return new Map(
      [...this.variables].map(([name, variable]) => [name, variable.dataSync() as Float32Array]),
    );
  }

  /** @throws Error when names or sizes do not match. */
  write(values: ReadonlyMap<string, Float32Array>): void {
    for (const [name, variable] of this.variables) {
      const value = values.get(name);
      if (!value) throw new Error(`weight '${name}' is missing`);
      if (value.length !== variable.size)
        throw new Error(
          `weight '${name}' has ${value.length} values, the model needs [${variable.shape.join(', ')}]`,
        );
      tf.tidy(() => variable.assign(tf.tensor(value, variable.shape)));
    }
  }

  /** All weights as a safetensors file. */
  encode(metadata: Record<string, string>): Uint8Array {
    const tensors = [...this.variables].map(
      ([name, v]) => [name, { shape: v.shape, values: v.dataSync() as Float32Array }] as const,
    );
    return encodeSafetensors({ tensors: new Map(tensors), metadata });
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
    this.variables.clear();
  }
}

/** Distributions of initial values; each weight draws from a stream of its own name. */
export interface Initialiser {
  normal(name: string, deviation: number): () => number;
  uniform(name: string, bound: number): () => number;
  stream(name: string): Random;
}

export function createInitialiser(seed: number): Initialiser {
  const stream = (name: string) => createRandom(seed, 'initial', name);
  return {
    stream,
    normal: (name, deviation) => {
      const random = stream(name);
      return () => deviation * random.normal();
    },
    uniform: (name, bound) => {
      const random = stream(name);
      return () => bound * (2 * random.uniform() - 1);
    },
  };
}
