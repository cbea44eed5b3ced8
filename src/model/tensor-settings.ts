/** What the names and shapes of tensors tell of the model that they belong to. */
import type { ModelConfig, ModelName } from './config.js';
import type { StoredTensor } from './safetensors.js';

type Tensors = ReadonlyMap<string, Pick<StoredTensor, 'shape'>>;

/** Where each model keeps its layers, and in them the block. */
const LAYERS: [ModelName, layers: string, block: string][] = [
  ['mamba4rec', 'mamba_layers', 'mamba'],
  ['tim4rec', 'ssd_layers', 'ssd'],
  ['ssd4rec', 'BiSSD_layers', 'forward_ssd'],
];

/** The model whose upstream names these are; undefined for one that we do not have. */
export function modelOfNames(names: Iterable<string>): ModelName | undefined {
  const all = [...names];
  return LAYERS.find(([, layers]) => all.some((name) => name.startsWith(`${layers}.`)))?.[0];
}

/** Settings that the tensors leave no doubt about, and the number of items; nothing is checked. */
export function settingsOfTensors(tensors: Tensors): Partial<ModelConfig> & { items?: number } {
  const found: Partial<ModelConfig> & { items?: number } = {};
  const name = modelOfNames(tensors.keys());
  if (!name) return found;
  const [, layers, block] = LAYERS.find(([model]) => model === name)!;
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
  set('dState', name === 'mamba4rec' ? (decays[1] ?? 0) : (channels - inner) / 2);
  if (name !== 'mamba4rec') set('headDim', inner / (decays[0] ?? 0));
  if (name === 'tim4rec') {
    const length = shapeOf('layer_norm_time.weight')?.[0];
    if (length === undefined) set('time', 'none');
    else {
      set('maxLength', length);
      set('timeGate', inBlock('time_gate_residual.1.weight')?.[0] === 1 ? 'one' : 'position');
    }
  }
  return found;
}
