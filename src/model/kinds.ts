/**
 * What a model is to everything that does not compute with it: a row a model. Names, sizes, defaults, contradictions and the words
 * of the published PyTorch code follow from here; model.ts holds the one other table, that of constructors. Knows nothing of tfjs.
 */
import {
  type Counts,
  feedForwardSize,
  mambaBlockSize,
  type Shape,
  ssdBlockSize,
} from './parts/block-size.js';
import type { LossPlace, ModelSettings, TimeMode } from './settings.js';

/** One setting under the name that the published code gives it. */
export interface UpstreamSetting {
  name: string;
  /** Undefined where there is nothing to say. */
  write(settings: ModelSettings): string | number | boolean | undefined;
  /** Throws for a value that has no counterpart here. */
  read(value: unknown): Partial<ModelSettings>;
}

/** The published PyTorch code of a model: how its tensors and its settings are called. */
export interface Upstream {
  /** The list of layers in its state dictionary, and in a layer the block: `mamba_layers`, `mamba`. */
  layers: string;
  block: string;
  /** Settings beyond those of every model. */
  settings: readonly UpstreamSetting[];
  /** What the published code could be told otherwise and is built here in this one way: `{is_ffn: true}`. */
  only?: Record<string, unknown>;
  /** Names that no number depends on. */
  idle?: readonly string[];
  /** What shapes tell of settings beyond those of every model; `inBlock` looks into the first layer's block. */
  ofShapes?(shapeOf: ShapeOf, inBlock: ShapeOf): Partial<ModelSettings>;
}
type ShapeOf = (tensor: string) => number[] | undefined;

export interface ModelKind {
  /** Channels a head where the configuration leaves it open, as published; absent where there are no heads (Mamba-1). */
  headDim?: number;
  /** It reads a history in both directions: a loss at all positions would show it what it predicts. */
  bidirectional?: boolean;
  /** Every prefix of a history is an example where nothing else is said, as published; a few of each where absent. */
  everyPrefix?: boolean;
  /** As published its dropout lies on the sum that runs through its layers, not on what a layer adds to it. */
  dropsSum?: boolean;
  /** Settings that mean something to some models only, this one among them. */
  ownSettings: readonly (keyof ModelSettings)[];
  /** Settings that follow from others where they are left open. */
  complete?(settings: ModelSettings, loss: LossPlace): Partial<ModelSettings>;
  /** Why it cannot be trained with these settings and this loss. */
  contradiction?(settings: ModelSettings, loss: LossPlace): { message: string; remedy: string } | undefined;
  /** Set where it looks at timestamps: whether it does with these settings, and how to do without. */
  time?: { used(settings: ModelSettings): boolean; without: string };
  /** Its size; test/model/packing.test.ts holds it against the model as it is built. */
  counts(shape: Shape, settings: ModelSettings): Counts;
  upstream?: Upstream;
}

/** SSD4Rec's published settings, used where a configuration leaves them open. */
export const SSD4REC_DEFAULTS = { beta: 0.1, hiddenShare: 0.1, reverseOutput: 'released' } as const;

/** A number under another name. */
function count(
  name: string,
  key: keyof ModelSettings,
  fallback?: (s: ModelSettings) => number,
): UpstreamSetting {
  return {
    name,
    write: (settings) => (settings[key] as number | undefined) ?? fallback!(settings),
    read(value) {
      if (typeof value !== 'number') throw new TypeError(`${name} is no number: ${JSON.stringify(value)}`);
      return { [key]: value };
    },
  };
}

/** A switch of the published code that is one of two words here. */
function flag<K extends keyof ModelSettings>(
  name: string,
  key: K,
  [yes, no]: [ModelSettings[K], ModelSettings[K]],
  write: (settings: ModelSettings) => boolean,
): UpstreamSetting {
  return { name, write, read: (value) => ({ [key]: value ? yes : no }) };
}

/** Under these names every published model has what every model has here. */
export const COMMON_UPSTREAM: readonly UpstreamSetting[] = [
  count('hidden_size', 'dim'),
  count('num_layers', 'layers'),
  count('dropout_prob', 'dropout'),
  count('d_state', 'dState'),
  count('d_conv', 'dConv'),
  count('expand', 'expand'),
  count('MAX_ITEM_LIST_LENGTH', 'maxLength'),
];

/** The published code knows no such switch: a card names it only where that code would compute something else. */
const RESIDUAL: UpstreamSetting = {
  name: 'residual',
  write: ({ residual, layers }) => (residual === 'always' && layers === 1 ? 'always' : undefined),
  read: (value) => (value === undefined ? {} : { residual: value === 'always' ? 'always' : 'published' }),
};

/** Whether the blocks of this model are added to what they are given. */
export function hasResidual({ layers, residual }: Pick<ModelSettings, 'layers' | 'residual'>): boolean {
  return layers > 1 || residual === 'always';
}

const mamba4rec: ModelKind = {
  everyPrefix: true,
  ownSettings: ['residual'],
  counts(s) {
    const block = mambaBlockSize(s);
    return {
      stem: 2 * s.d,
      layer: block.parameters + 2 * s.d + feedForwardSize(s).parameters,
      layerFlops: block.flops + feedForwardSize(s).flops,
    };
  },
  upstream: { layers: 'mamba_layers', block: 'mamba', settings: [RESIDUAL] },
};

const timeOf = (settings: ModelSettings, loss: LossPlace): TimeMode =>
  settings.time ?? (loss === 'all' ? 'causal' : 'masked');

const TIM4REC_HEAD_DIM = 32;

const tim4rec: ModelKind = {
  headDim: TIM4REC_HEAD_DIM,
  ownSettings: ['residual', 'headDim', 'time', 'timeGate', 'timeDropout', 'convInit'],
  complete: (settings, loss) => ({ time: timeOf(settings, loss) }),
  contradiction(settings, loss) {
    const time = timeOf(settings, loss);
    if (loss !== 'all' || (time !== 'paper' && time !== 'masked')) return undefined;
    return {
      message: `tim4rec with \`time: ${time}\` mixes timestamps over the whole history, so with a loss at all positions every position would know when the items it predicts were taken`,
      remedy: 'Use `time: causal` with `loss: all`, or `loss: last` with this time mode.',
    };
  },
  time: { used: ({ time }) => time !== 'none', without: 'train without the time path (`time: none`)' },
  counts(s, { time: mode, timeGate }) {
    const { d, k, h, L } = s;
    const block = ssdBlockSize(s, true);
    if (mode === 'none')
      return {
        stem: 2 * d,
        layer: block.parameters + 2 * d + feedForwardSize(s).parameters,
        layerFlops: block.flops + feedForwardSize(s).flops,
      };
    const gates = timeGate === 'position' ? L : 1;
    // two depthwise convolutions over time, W1 and W2 over the length axis, one gate or L, the norm over the length
    const time = 2 * (h * k + h) + 2 * (L * L + L) + gates * (L + 1) + 2 * L;
    const timeFlops = 4 * h * k + 4 * h * L + 2 * h * gates;
    return {
      stem: 2 * d + 2 * L,
      layer: block.parameters + time + 2 * d + feedForwardSize(s).parameters,
      layerFlops: block.flops + timeFlops + feedForwardSize(s).flops,
    };
  },
  upstream: {
    layers: 'ssd_layers',
    block: 'ssd',
    settings: [
      RESIDUAL,
      count('head_dim', 'headDim', () => TIM4REC_HEAD_DIM),
      flag('is_time', 'time', ['paper', 'none'], ({ time }) => time !== 'none'),
      flag('p2p_residual', 'timeGate', ['position', 'one'], ({ timeGate }) => timeGate === 'position'),
      count('time_drop_out', 'timeDropout', ({ dropout }) => dropout),
      flag('is_kai_ming_init', 'convInit', ['kaiming', 'uniform'], ({ convInit }) => convInit === 'kaiming'),
    ],
    only: { is_ffn: true, norm_eps: 1e-12 },
    idle: ['chunk_size'],
    ofShapes(shapeOf, inBlock) {
      const length = shapeOf('layer_norm_time.weight')?.[0];
      if (length === undefined) return { time: 'none' };
      return {
        maxLength: length,
        timeGate: inBlock('time_gate_residual.1.weight')?.[0] === 1 ? 'one' : 'position',
      };
    },
  },
};

const SSD4REC_HEAD_DIM = 16;

const ssd4rec: ModelKind = {
  headDim: SSD4REC_HEAD_DIM,
  bidirectional: true,
  dropsSum: true,
  ownSettings: ['headDim', 'beta', 'reverseOutput', 'hiddenShare', 'embeddingNorm'],
  counts(s) {
    const block = ssdBlockSize(s, false);
    return {
      stem: 2 * s.d,
      layer: block.parameters + 2 * s.d + feedForwardSize(s).parameters,
      layerFlops: 2 * block.flops + feedForwardSize(s).flops, // forward and reversed, one set of weights
    };
  },
  upstream: {
    layers: 'BiSSD_layers',
    block: 'forward_ssd',
    settings: [
      count('headdim', 'headDim', () => SSD4REC_HEAD_DIM),
      count('beta', 'beta', () => SSD4REC_DEFAULTS.beta),
      count('maskratio', 'hiddenShare', () => SSD4REC_DEFAULTS.hiddenShare),
      flag('norm_embedding', 'embeddingNorm', ['on', 'off'], ({ embeddingNorm }) => embeddingNorm !== 'off'),
    ],
  },
};

export const KINDS = { mamba4rec, tim4rec, ssd4rec };

/** A model by its name, such as `mamba4rec`. */
export type ModelName = keyof typeof KINDS;
export const MODEL_NAMES = Object.keys(KINDS) as ModelName[];

/** The row of a configuration's model. */
export function kindOf({ name }: { name: ModelName }): ModelKind {
  return KINDS[name];
}
