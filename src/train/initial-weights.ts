/**
 * Weights to start from, with the rows of their item table in the order of the data: a file that was trained elsewhere
 * numbers its items in its own way, and the card beside it (or any JSON with a list `items`) says how.
 */
import { existsSync } from 'node:fs';
import type { Interactions } from '../data/interactions.js';
import type { ModelConfig } from '../model/config.js';
import { readWeightsFile, type WeightsFile } from '../model/files/weights-file.js';
import { UserError } from '../util/errors.js';
import { readJson } from '../util/files.js';
import { sha256 } from '../util/hash.js';

const TABLE = 'item_embedding.weight';

/** `X.json` for the weights `X.safetensors`. */
export function cardPathOf(path: string): string {
  return `${path.replace(/\.safetensors$/, '')}.json`;
}

/**
 * A reader of the weights at `path`, in two steps: the file is read now, its rows are put in order once the data are open.
 * @throws UserError when the file is not there or not whole.
 */
export function readInitialWeights(path: string): (data: Interactions, onNote: Note) => WeightsFile {
  const file = readWeightsFile(path);
  return (data, onNote) => inOrderOf(data, file, onNote);
}

/**
 * One layer with and without its residual have the same tensors; only the card tells them apart.
 * @throws UserError where it says that these weights are of the other one.
 */
export function checkResidual(path: string, model: ModelConfig): void {
  if (model.layers > 1 || !existsSync(cardPathOf(path))) return;
  const own = (readJson(cardPathOf(path)) as { model?: Partial<ModelConfig> } | null)?.model;
  if (own?.layers !== 1) return;
  const residual = own.residual ?? 'published';
  if (residual !== (model.residual ?? 'published'))
    throw new UserError(
      `these weights are of a model of one layer with \`residual: ${residual}\`, and this one is another architecture`,
      { place: path, remedy: `Use the settings that the file was written with: --residual ${residual}.` },
    );
}

type Note = (note: string) => void;

/** @throws UserError when the file's items are known and the data has others. */
function inOrderOf(data: Interactions, file: WeightsFile, onNote: Note): WeightsFile {
  const items = itemsOf(file);
  if (!items) {
    onNote(
      `${file.path}: row i of its item table is taken for item i of ${data.name}. Where it numbers items otherwise, put ${cardPathOf(file.path)} beside it: {"items": ["", ids in the order of its rows]}.`,
    );
    return file;
  }
  if (items.length === data.itemIds.length && items.every((id, row) => id === data.itemIds[row])) return file;
  const table = file.tensors.get(TABLE);
  if (table?.shape.length !== 2 || table.shape[0] !== items.length)
    throw new UserError(
      `it names ${items.length} rows and the item table of ${file.path} has ${table?.shape[0] ?? 'none'}`,
      { place: cardPathOf(file.path), remedy: 'List one item a row, the padding row 0 first.' },
    );
  const rowOf = new Map(items.map((id, row) => [id, row]));
  const unknown = data.itemIds.filter((id, i) => i > 0 && !rowOf.has(id));
  if (unknown.length > 0)
    throw new UserError(
      `${unknown.length} items of ${data.name} have no row in these weights, such as ${JSON.stringify(unknown[0])}`,
      { place: file.path, remedy: 'Use the data set that it was trained on, or a part of it.' },
    );
  const width = table.shape[1]!;
  const values = new Float32Array(data.itemIds.length * width);
  data.itemIds.forEach((id, i) => {
    const row = i === 0 ? 0 : rowOf.get(id)!;
    values.set(table.values.subarray(row * width, (row + 1) * width), i * width);
  });
  onNote(`${file.path}: rows of its item table are put in the order of ${data.name} by item.`);
  return {
    path: file.path,
    sha256: sha256(file.sha256, JSON.stringify(data.itemIds)),
    tensors: new Map(file.tensors).set(TABLE, { shape: [data.itemIds.length, width], values }),
  };
}

function itemsOf(file: WeightsFile): string[] | undefined {
  const path = cardPathOf(file.path);
  if (!existsSync(path)) return undefined;
  const items = (readJson(path) as { items?: unknown } | null)?.items;
  if (items === undefined) return undefined;
  if (!Array.isArray(items) || !items.every((id) => typeof id === 'string') || items.length === 0)
    throw new UserError('`items` is not a list of texts', {
      place: path,
      remedy: 'List one item a row of the item table, the padding row 0 first as "".',
    });
  return items;
}
