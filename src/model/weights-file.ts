/**
 * A model's weights from a safetensors file under the upstream names, as PyTorch's `save_file(model.state_dict(), path)`
 * of the safetensors package or `perflaw train --out` writes them.
 */
import { readFileSync } from 'node:fs';
import { fileError, UserError } from '../util/errors.js';
import { sha256 } from '../util/hash.js';
import { decodeSafetensors, type StoredTensor } from './safetensors.js';
import type { SequenceModel } from './sequence-model.js';

export interface WeightsFile {
  path: string;
  /** Of the bytes. */
  sha256: string;
  tensors: Map<string, StoredTensor>;
}

/** @throws UserError when the file cannot be read or is not whole. */
export function readWeightsFile(path: string): WeightsFile {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, path, 'read these weights');
  }
  return { path, sha256: sha256(bytes), tensors: decodeSafetensors(bytes, path).tensors };
}

/**
 * Sets every weight of the model.
 * @throws UserError that names what is missing, of another shape, not finite, or without a place; nothing is set then.
 */
export function loadWeights(model: SequenceModel, { path, tensors }: WeightsFile): void {
  const { config, weights } = model;
  const refuse = (message: string, remedy: string) => new UserError(message, { place: path, remedy });
  const wanted = weights.shapes();
  const missing = [...wanted.keys()].filter((name) => !tensors.has(name));
  const settings = `${config.name}, dim ${config.dim}, ${config.layers} layers`;
  if (missing.length > 0)
    throw refuse(
      `this file has no tensor '${missing[0]}'${others(missing.length)}, which ${settings} needs; it has ${tensors.size} tensors, such as ${[...tensors.keys()].slice(0, 3).join(', ')}`,
      'Give the file of a model of the same kind and number of layers, with its tensors under their upstream names.',
    );
  const left = [...tensors.keys()].filter((name) => !wanted.has(name));
  if (left.length > 0)
    throw refuse(
      `${settings} has no place for the tensor '${left[0]}'${others(left.length)} of this file`,
      'Choose the model, layers and time mode that the file was written with.',
    );
  for (const [name, shape] of wanted) {
    const stored = tensors.get(name)!;
    if (stored.shape.join() !== shape.join())
      throw refuse(
        `'${name}' is [${stored.shape.join(', ')}] in this file, and ${settings} needs [${shape.join(', ')}]`,
        name === 'item_embedding.weight' && stored.shape[1] === shape[1]
          ? `The file is for ${stored.shape[0]! - 1} items and the data has ${model.numItems}: use the data set that it was trained on.`
          : 'Choose the settings that the file was written with.',
      );
    if (!stored.values.every(Number.isFinite))
      throw refuse(
        `'${name}' holds a value that is not a finite number`,
        'Write the file from a sound checkpoint.',
      );
  }
  weights.write(new Map([...tensors].map(([name, { values }]) => [name, values])));
}

function others(count: number): string {
  return count > 1 ? ` (and ${count - 1} more)` : '';
}
