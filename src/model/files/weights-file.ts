/**
 * A model's weights from a safetensors file under the upstream names, as PyTorch's `save_file(model.state_dict(), path)`
 * of the safetensors package, `perflaw export` or `perflaw train --out` writes them.
 */
import { fileError, UserError } from '../../util/errors.js';
import { readRegularBytes } from '../../util/files.js';
import { sha256 } from '../../util/hash.js';
import type { ModelConfig } from '../config.js';
import type { SequenceModel } from '../sequence-model.js';
import { decodeSafetensors, type StoredTensor } from './safetensors.js';
import { settingsOfTensors } from './tensor-settings.js';

export interface WeightsFile {
  path: string;
  /** Of the bytes. */
  sha256: string;
  tensors: Map<string, StoredTensor>;
}

/** @throws UserError when the file cannot be read, is not whole, or is PyTorch's own format. */
export function readWeightsFile(path: string): WeightsFile {
  let bytes: Uint8Array;
  try {
    bytes = readRegularBytes(path);
  } catch (error) {
    throw fileError(error, path, 'read these weights');
  }
  if (isPickle(bytes)) throw pickleError(path);
  return { path, sha256: sha256(bytes), tensors: withoutWrapper(decodeSafetensors(bytes, path).tensors) };
}

/** What torch.save writes: a zip archive, or before PyTorch 1.6 a bare pickle (protocol 2 to 5). */
function isPickle(bytes: Uint8Array): boolean {
  const [a, b, c, d] = bytes;
  return (a === 0x50 && b === 0x4b && c === 3 && d === 4) || (a === 0x80 && b! >= 2 && b! <= 5);
}

function pickleError(path: string): UserError {
  const to = path.replace(/\.(pt|pth|bin|ckpt)$/i, '');
  return new UserError('this is a PyTorch file (pickle), and reading one can run any code that is in it', {
    place: path,
    remedy: [
      'Convert it once, where you trust it, with the Python package safetensors:',
      `  import torch; from safetensors.torch import save_file`,
      `  state = torch.load(${JSON.stringify(path)}, map_location="cpu", weights_only=False); state = state.get("state_dict", state)`,
      `  save_file({k: v.contiguous() for k, v in state.items()}, ${JSON.stringify(`${to}.safetensors`)})`,
    ].join('\n  '),
  });
}

/** Names without the `module.` that PyTorch's data-parallel wrappers put before every one. */
function withoutWrapper(tensors: Map<string, StoredTensor>): Map<string, StoredTensor> {
  if (tensors.size === 0 || ![...tensors.keys()].every((name) => name.startsWith('module.'))) return tensors;
  return new Map([...tensors].map(([name, tensor]) => [name.slice('module.'.length), tensor]));
}

/**
 * Sets every weight of the model.
 * @throws UserError that names what is missing, of another shape, not finite, or without a place; nothing is set then.
 */
export function loadWeights(model: SequenceModel, { path, tensors }: WeightsFile): void {
  const { config, weights, numItems } = model;
  const wanted = weights.shapes();
  const settings = `${config.name} with dim ${config.dim} and ${plural(config.layers, 'layer')}`;
  const { items, ...found } = settingsOfTensors(tensors);
  const remedy = remedyFor(config, found);
  const refuse = (message: string, otherRemedy?: string) =>
    new UserError(message, { place: path, remedy: otherRemedy ?? remedy });
  if (found.name !== undefined && found.name !== config.name)
    throw refuse(`these are the weights of a ${found.name}, and the model is a ${settings}`);
  const missing = [...wanted.keys()].filter((name) => !tensors.has(name));
  if (missing.length > 0)
    throw refuse(
      `this file has no tensor '${missing[0]}'${others(missing.length)}, which a ${settings} needs; it has ${plural(tensors.size, 'tensor')}, such as ${[...tensors.keys()].slice(0, 3).join(', ')}`,
    );
  const left = [...tensors.keys()].filter((name) => !wanted.has(name));
  if (left.length > 0)
    throw refuse(`a ${settings} has no place for the tensor '${left[0]}'${others(left.length)} of this file`);
  for (const [name, shape] of wanted) {
    const stored = tensors.get(name)!;
    if (stored.shape.join() !== shape.join())
      throw refuse(
        `'${name}' is [${stored.shape.join(', ')}] in this file, and a ${settings} needs [${shape.join(', ')}]`,
        name === 'item_embedding.weight' && stored.shape[1] === shape[1]
          ? `The file is for ${items} items and the data has ${numItems}: use the data set that it was trained on.`
          : undefined,
      );
    if (!stored.values.every(Number.isFinite))
      throw refuse(
        `'${name}' holds a value that is not a finite number`,
        'Write the file from a sound checkpoint.',
      );
  }
  weights.write(new Map([...tensors].map(([name, { values }]) => [name, values])));
}

/** The options of `perflaw train` that the file's tensors tell and the model does not have. */
function remedyFor(config: ModelConfig, found: Partial<ModelConfig>): string {
  const flags: [keyof ModelConfig, string][] = [
    ['name', '--model'],
    ['dim', '--dim'],
    ['layers', '--layers'],
    ['dState', '--d-state'],
    ['dConv', '--d-conv'],
    ['expand', '--expand'],
    ['headDim', '--head-dim'],
    ['maxLength', '--max-length'],
    ['time', '--time-mode'],
    ['timeGate', '--time-gate'],
  ];
  const other = flags.filter(([key]) => found[key] !== undefined && found[key] !== config[key]);
  if (other.length === 0 || found.name === undefined)
    return 'Give the file of a model with the same settings, its tensors under their upstream names.';
  return `Use the settings that the file was written with: ${other.map(([key, flag]) => `${flag} ${found[key]}`).join(' ')}.`;
}

function others(count: number): string {
  return count > 1 ? ` (and ${count - 1} more)` : '';
}

function plural(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
