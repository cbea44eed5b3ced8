/** What the names and shapes of tensors tell of the model that they belong to. */
import type { ModelConfig } from '../config.js';
import { kindOf, MODEL_NAMES, type ModelName } from '../kinds.js';
import type { StoredTensor } from './safetensors.js';

type Tensors = ReadonlyMap<string, Pick<StoredTensor, 'shape'>>;

/** The model whose upstream names these are; undefined for one that we do not have. */
export function modelOfNames(names: Iterable<string>): ModelName | undefined {
  const all = [...names];
  return MODEL_NAMES.find((name) => {
    const { upstream } = kindOf({ name });
    return upstream && all.some((tensor) => tensor.startsWith(`${upstream.layers}.`));
  });
}

/** Settings that the tensors leave no doubt about, and the number of items; nothing is checked. */
export function settingsOfTensors(tensors: Tensors): Partial<ModelConfig> & { items?: number } {
  const found: Partial<ModelConfig> & { items?: number } = {};
  const name = modelOfNames(tensors.keys());
  if (!name) return found;
  const { headDim, upstream } = kindOf({ name });
  const { layers, block, ofShapes } = upstream!;
  const shapeOf = (tensor: string) => tensors.get(tensor)?.shape;
  const inBlock = (tensor: string) => shapeOf(`${layers}.0.${block}.${tensor}`);
  const set = <K extends keyof typeof found>(key: K, value: (typeof found)[K]) => {
    if (typeof value !== 'number' || (Number.isInteger(value) && value > 0)) found[key] = value;
  };
  found.name = name;
  const indices = [...tensors.keys()].map((tensor) =>
    Number(new RegExp(`^${layers}\\.(\\d+)\\.`).exec(tensor)?.[1] ?? -1),
  );
  set('layers', Math.max(...indices) + 1);
  const [rows = 0, dim = 0] = shapeOf('item_embedding.weight') ?? [];
  set('items', rows - 1);
  set('dim', dim);
  const inner = inBlock('out_proj.weight')?.[1] ?? 0;
  const decays = inBlock('A_log') ?? [];
  const [channels = 0, , width = 0] = inBlock('conv1d.weight') ?? [];
  set('expand', inner / dim);
  set('dConv', width);
  set('dState', headDim === undefined ? (decays[1] ?? 0) : (channels - inner) / 2);
  if (headDim !== undefined) set('headDim', inner / (decays[0] ?? 0));
  return { ...found, ...ofShapes?.(shapeOf, inBlock) };
}
