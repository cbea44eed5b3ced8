/** A simulated sweep: records that follow a known performance law, with seeded noise. No training, no fit. */
import { compareDataMeasures } from '../../src/law/data-term.js';
import { testQuality } from '../../src/law/quality-test.js';
import type {
  BudgetCurve,
  Candidate,
  DataTermPoint,
  LawPanel,
  LawPoint,
  LawView,
  MetricChoice,
  ReportInput,
} from '../../src/report/view/view.js';
import type { DoneRecord, FailedRecord, SliceMeasures } from '../../src/sweep/store/record.js';
import { DEFAULT_EVALUATION, DEFAULT_TRAINING } from '../../src/train/config.js';
import type { EpochRecord, RankingMetrics } from '../../src/train/result.js';
import { createRandom } from '../../src/util/random.js';

export interface SimulationOptions {
  layers?: number[];
  dims?: number[];
  /** Shares of users. */
  slices?: number[];
  seeds?: number[];
  noise?: number;
  failures?: number;
  /** A text to put wherever a user may write one. */
  name?: string;
  epochs?: number;
}

export const ITEMS = 3416;
const CHOICE: MetricChoice = { name: 'ndcg@10', split: 'test', history: 'masked', direction: 'maximize' };

/** g(x; a) = -1/(p x^a) - a ln x with p = 2, in the negative exponents of the published ML-1M panel. */
const g = (x: number, a: number) => -1 / (2 * x ** a) - a * Math.log(x);

/** The truth: highest at about 2.8 layers and dim 64 (closed form p^(1/|a|)). */
export function trueMetric(layers: number, dim: number, tokens: number): number {
  const scale = 0.6;
  return (
    0.19 +
    scale * (0.12 * (g(layers, -0.67) - g(2.8, -0.67)) + 1.1 * (g(dim, -0.1665) - g(64, -0.1665))) +
    0.035 * Math.log(tokens / 1e6)
  );
}

export function parametersOf(layers: number, dim: number): number {
  return ITEMS * dim + layers * (14 * dim * dim + 200 * dim) + 2 * dim;
}

function ranking(ndcg: number): RankingMetrics {
  const at = (masked: number) => ({
    'hr@5': masked * 1.25,
    'hr@10': masked * 1.75,
    'hr@20': masked * 2.3,
    'ndcg@5': masked * 0.86,
    'ndcg@10': masked,
    'ndcg@20': masked * 1.14,
    'mrr@10': masked * 0.78,
  });
  return { masked: at(ndcg), unmasked: at(ndcg * 0.76) };
}

export function sliceMeasures(userShare: number): SliceMeasures {
  const users = Math.round(6040 * userShare);
  return {
    label: userShare === 1 ? 'all' : `users=${userShare}`,
    users,
    tokens: users * 163,
    apenPooled: 4.21 + 0.55 * Math.log(userShare * 4),
    apenPerUser: 0.0118,
    lempelZiv: 3.9,
    lempelZivPrefix: 3.4,
    shannon: 7.12,
    compression: 0.58,
    repeatShare: 0,
  };
}

/** The records of a sweep, done and failed. */
export function simulateRecords(options: SimulationOptions = {}): {
  done: DoneRecord[];
  failed: FailedRecord[];
} {
  const {
    layers = [1, 2, 4, 8],
    dims = [16, 32, 64, 128],
    slices = [0.25, 0.5, 1],
    seeds = [0],
    noise = 0.0015,
  } = options;
  const random = createRandom('simulated sweep');
  const done: DoneRecord[] = [];
  const failed: FailedRecord[] = [];
  let failures = options.failures ?? 0;
  for (const share of slices)
    for (const l of layers)
      for (const dim of dims)
        for (const seed of seeds) {
          const slice = sliceMeasures(share);
          const truth = trueMetric(l, dim, slice.tokens) + noise * random.normal();
          const epochs = options.epochs ?? 12;
          const curve = Array.from({ length: epochs }, (_, i): EpochRecord => {
            const progress = (1 - Math.exp(-(i + 1) / 3)) / (1 - Math.exp(-epochs / 3));
            return {
              epoch: i + 1,
              step: (i + 1) * 600,
              loss: 6.2 - 0.9 * progress + 0.01 * random.normal(),
              validation: ranking((truth + 0.009) * (0.35 + 0.65 * progress)),
              seconds: 12 + dim * l * 0.02,
              tokensPerSecond: slice.tokens / (12 + dim * l * 0.02),
            };
          });
          const base = {
            schema: 1 as const,
            id: (0x1000000000 + done.length + 4096 * failed.length).toString(16),
            config: {
              data: { name: options.name ?? 'simulated', hash: 'f'.repeat(64) },
              slice: { users: share },
              model: {
                name: 'mamba4rec' as const,
                dim,
                layers: l,
                dState: 32,
                dConv: 4,
                expand: 2,
                maxLength: 200,
                dropout: 0.2,
                init: 'mamba' as const,
              },
              training: { ...DEFAULT_TRAINING, epochs },
              evaluation: DEFAULT_EVALUATION,
              seed,
              backend: 'wasm',
            },
            environment: {
              perflaw: '0.1.0',
              node: 'v20.20.0',
              platform: 'linux-x64',
              host: options.name ?? 'workstation',
            },
            startedAt: '2026-01-05T10:00:00.000Z',
            finishedAt: '2026-01-05T10:09:00.000Z',
          };
          if (failures > 0 && dim === Math.max(...dims) && l === Math.max(...layers)) {
            failures--;
            failed.push({
              ...base,
              status: 'failed',
              reason: 'out-of-memory',
              message: options.name ?? 'the process was killed by the system (9.1 GiB resident)',
            });
            continue;
          }
          const total = parametersOf(l, dim);
          const seconds = curve.reduce((sum, e) => sum + e.seconds, 0);
          done.push({
            ...base,
            status: 'done',
            slice: options.name ? { ...slice, label: `${options.name} ${slice.label}` } : slice,
            popularity: { validation: ranking(0.031), test: ranking(0.029) },
            result: {
              validation: ranking(truth + 0.009),
              test: ranking(truth),
              bestEpoch: epochs,
              epochsRun: epochs,
              stopped: 'epochs',
              curve,
              parameters: { total, nonEmbedding: total - ITEMS * dim },
              flops: { perToken: 6 * total, total: 6 * total * slice.tokens * epochs },
              tokens: { perEpoch: slice.tokens, total: slice.tokens * epochs },
              seconds: { training: seconds, evaluation: seconds / 20 },
              tokensPerSecond: (slice.tokens * epochs) / seconds,
              peakMemoryBytes: 3e8 + 4e5 * dim * l,
              backend: 'wasm',
            },
          });
        }
  return { done, failed };
}

/** The law that the records follow, as a view: intervals from the known noise. */
export function trueLaw(done: DoneRecord[], noise = 0.0015): LawView {
  const tokensOf = new Map(done.map((record) => [record.slice.label, record.slice.tokens]));
  const slices = [...tokensOf.keys()].sort((a, b) => tokensOf.get(a)! - tokensOf.get(b)!);
  const surface = (slice: string, layers: number, dim: number) =>
    trueMetric(layers, dim, tokensOf.get(slice)!);
  const around = (value: number, widths = 1) => ({
    value,
    low: value - 1.96 * noise * widths,
    high: value + 1.96 * noise * widths,
  });
  const points: LawPoint[] = done.map((record) => ({
    slice: record.slice.label,
    layers: record.config.model.layers,
    dim: record.config.model.dim,
    seed: record.config.seed,
    params: record.result.parameters.total,
    measured: record.result.test.masked['ndcg@10']!,
    predicted: around(surface(record.slice.label, record.config.model.layers, record.config.model.dim)),
  }));
  const largest = slices[slices.length - 1]!;
  const term: DataTermPoint[] = slices.map((slice) => {
    const record = done.find((one) => one.slice.label === slice)!;
    const value = 1.02 + 0.035 * Math.log(record.slice.tokens / 1e6);
    return {
      slice,
      tokens: record.slice.tokens,
      apen: record.slice.apenPooled,
      term: value,
      low: value - 0.002,
      high: value + 0.002,
    };
  });
  const levels = term.map(({ slice, tokens, term: level, apen }) => ({
    slice,
    tokens,
    level,
    quality: { apen },
  }));
  const panels = slices.map((slice): LawPanel => {
    const own = points.filter((point) => point.slice === slice);
    const mean = own.reduce((sum, p) => sum + p.measured, 0) / own.length;
    const left = own.reduce((sum, p) => sum + (p.measured - p.predicted.value) ** 2, 0);
    const total = own.reduce((sum, p) => sum + (p.measured - mean) ** 2, 0);
    const r2 = total > 0 ? 1 - left / total : 0;
    return { ...PANEL, slice, r2, q2: 1 - 1.3 * (1 - r2), noise, peak: peakAmong(done) };
  });
  return {
    panels,
    missing: [],
    points,
    surface,
    heldOut: {
      slices: slices.map((slice) => ({ slice, form: PANEL.form, what: 'the largest dim' })),
      points: points.filter((point) => point.dim === Math.max(...points.map((one) => one.dim))),
    },
    level: 0.95,
    method: 'residual bootstrap, 1,000 draws',
    budget: budgetCurve(largest, surface, around, noise),
    ...(slices.length > 1
      ? {
          dataTerm: {
            name: 'c' as const,
            points: term,
            measures: levels.length < 3 ? [] : compareDataMeasures(levels),
            quality: testQuality(levels) ?? null,
          },
        }
      : {}),
  };
}

/** What is the same in every slice. */
const PANEL: Omit<LawPanel, 'slice' | 'r2' | 'peak'> = {
  form: 'performance-law',
  equation: 'P = w1 g(layers; a) + w2 g(dim; b) + c, g(x; a) = −1/(2 x^a) − a ln x',
  coefficients: [
    { name: 'a', estimate: { value: -0.67, low: -0.74, high: -0.61 } },
    { name: 'b', estimate: { value: -0.1665, low: -0.19, high: -0.14 } },
    { name: 'w1', estimate: { value: 0.072, low: 0.06, high: 0.085 } },
    { name: 'w2', estimate: { value: 0.66, low: 0.5, high: 0.8 }, note: 'moves together with b' },
    { name: 'c', estimate: { value: 1.0388 } },
  ],
  cautions: ['Within one slice the term of the data and the constant cannot be separated: c is their sum.'],
  forms: [
    {
      name: 'performance-law',
      parameters: 5,
      r2: 0.985,
      q2: 0.979,
      aicc: -512.3,
      heldOutError: 0.0016,
      chosen: true,
    },
    {
      name: 'quadratic-log',
      parameters: 5,
      r2: 0.983,
      q2: 0.977,
      aicc: -509.9,
      heldOutError: 0.0019,
      chosen: false,
    },
    {
      name: 'saturating-power',
      parameters: 5,
      r2: 0.871,
      q2: 0.83,
      aicc: -431.0,
      heldOutError: 0.0104,
      chosen: false,
    },
    {
      name: 'log-linear',
      parameters: 3,
      r2: 0.612,
      q2: 0.55,
      aicc: -377.5,
      heldOutError: 0.0191,
      chosen: false,
    },
    { name: 'logistic', reason: 'it needs more configurations', chosen: false },
  ],
  because: 'least error on what was withheld',
};

function peakAmong(done: DoneRecord[]): LawPanel['peak'] {
  const axis = (name: 'layers' | 'dim', value: number, low: number, high: number) => {
    const measured = done.map((record) => record.config.model[name]);
    const inside = value >= Math.min(...measured) && value <= Math.max(...measured);
    return { place: inside ? ('inside' as const) : ('outside' as const), value, low, high };
  };
  return { layers: axis('layers', 2.81, 2.5, 3.2), dim: axis('dim', 64.2, 58, 71) };
}

function budgetCurve(
  slice: string,
  surface: LawView['surface'],
  around: (value: number, widths?: number) => { value: number; low: number; high: number },
  noise: number,
): BudgetCurve {
  const all: Candidate[] = [];
  for (const layers of [1, 2, 3, 4, 5, 6, 8, 10, 12])
    for (let dim = 16; dim <= 256; dim += 8) {
      const extrapolated = dim > 128 || layers > 8;
      all.push({
        layers,
        dim,
        params: parametersOf(layers, dim),
        predicted: around(surface(slice, layers, dim), extrapolated ? 2 : 1),
        extrapolated,
      });
    }
  const bins = new Map<number, Candidate>();
  for (const candidate of all) {
    const bin = Math.round(Math.log(candidate.params) * 8);
    const kept = bins.get(bin);
    if (!kept || candidate.predicted.value > kept.predicted.value) bins.set(bin, candidate);
  }
  const candidates = [...bins.values()].sort((a, b) => a.params - b.params);
  const optimum = all
    .filter((one) => !one.extrapolated)
    .reduce((a, b) => (b.predicted.value > a.predicted.value ? b : a));
  const smallest = candidates.find((one) => one.predicted.value >= optimum.predicted.value - noise);
  let top = Number.NEGATIVE_INFINITY;
  const frontier = candidates.flatMap((one) => {
    if (one.predicted.value <= top) return [];
    top = one.predicted.value;
    return [{ ...one, flops: 6e6 * one.params }];
  });
  return { slice, candidates, optimum, smallest, frontier };
}

/** A whole report's input from simulated records, with the true law where there are enough points for one. */
export function simulateInput(options: SimulationOptions = {}): ReportInput {
  const { done, failed } = simulateRecords(options);
  const slices = [...new Map(done.map((record) => [record.slice.label, record.slice])).values()];
  slices.sort((a, b) => a.tokens - b.tokens);
  const enough = done.length >= 6;
  return {
    title: options.name ?? 'simulated',
    description: 'A sweep that was never trained: its metrics follow a known law.',
    metric: CHOICE,
    groups:
      done.length === 0
        ? []
        : [
            {
              label: '',
              records: done,
              ...(enough
                ? { law: trueLaw(done, options.noise ?? 0.0015) }
                : {
                    lawMissing: `A law needs at least 6 finished configurations; there are ${done.length}.`,
                  }),
            },
          ],
    losses: [],
    done,
    failed,
    slices,
    made: {
      at: '2026-01-05T12:00:00.000Z',
      perflaw: '0.1.0',
      command: 'perflaw report simulated',
      folder: 'reports/simulated',
    },
  };
}
