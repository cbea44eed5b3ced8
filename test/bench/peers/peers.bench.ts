/**
 * How fast is a training step here against the same step in PyTorch, on one core (or on the GPU, where PyTorch sees one)?
 * Both sides load the same weights and must agree on loss and gradients before anything is timed. Without Python or torch
 * this says so and ends well.
 *
 *   PERFLAW_PYTHON         the Python that has torch (python3)
 *   PERFLAW_PEER_DEVICE    cpu, where a GPU is there but the question is about the processor
 *   PERFLAW_PEER_BACKEND   our backend (wasm)
 *   PERFLAW_PEER_COMPILE   1 adds torch.compile of the sequential scan, which takes minutes to compile
 *   PERFLAW_PEER_ROUNDS    7
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../../src/kernels/backend.js';
import { DEFAULT_MODEL, type ModelConfig } from '../../../src/model/config.js';
import { assemble, packRows, type TrainingBatch } from '../../../src/train/step/batches.js';
import { createRandom } from '../../../src/util/random.js';
import { createOurs, type Ours } from './ours.js';
import { missingPeer, type Peer, type Spent, startPeer } from './peer-process.js';
import { realWindows } from './real-lengths.js';
import { rounds, type Side, spentOn } from './rounds.js';
import { createScan } from './scan-inputs.js';

const [ROWS, LENGTH, ITEMS] = [8, 200, 3416];
/** Loss and gradients: largest difference over the largest entry of each tensor. */
const AGREEMENT = 1e-4;
const BACKEND = process.env['PERFLAW_PEER_BACKEND'] ?? 'wasm';
const missing = missingPeer();
if (missing) console.log(`Skipped: the training step in PyTorch, ${missing}.`);

interface Form {
  form: string;
  compile?: boolean;
}

const FORMS: Form[] = [{ form: 'sequential' }, { form: 'parallel' }, { form: 'recomputing' }];
/** Compiling the loop of 200 steps takes minutes, so it is asked of the scan alone. */
const COMPILED: Form[] =
  process.env['PERFLAW_PEER_COMPILE'] === '1' ? [{ form: 'sequential', compile: true }] : [];

describe.skipIf(missing)('PyTorch side by side', () => {
  let peer: Peer;
  let folder: string;
  let by: keyof Spent;
  let kept = 0;
  const path = () => join(folder, 'tensors.safetensors');

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'perflaw-peers-'));
    await openBackend(BACKEND);
    peer = startPeer();
    const { torch, device, name } = await peer.ask<Record<'torch' | 'device' | 'name', string>>({
      do: 'hello',
    });
    by = device === 'cpu' ? 'processor' : 'clock';
    console.log(`\nPyTorch ${torch} on ${name}; ours on ${BACKEND}; ratios by ${by} time`);
  });
  afterAll(async () => {
    await peer?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const label = ({ form, compile }: Form) => `PyTorch, ${form}${compile ? ', compiled' : ''}`;

  async function keepBatch({ rows, length, items, targets, timestamps }: TrainingBatch): Promise<string> {
    const keep = `batch ${kept++}`;
    const times = timestamps && [...timestamps].map((t, i) => t - timestamps[i - (i % length)]!);
    const lists = { items: [...items], targets: [...targets], ...(times ? { timestamps: times } : {}) };
    await peer.ask({ do: 'batch', keep, rows, length, ...lists });
    return keep;
  }

  /** A model of the other side with our weights, which computes on `theirs` what ours computes on `batch`. */
  async function keepModel(
    ours: Ours,
    config: ModelConfig,
    items: number,
    form: Form,
    [batch, theirs]: [TrainingBatch, string],
  ): Promise<string> {
    const keep = `model ${kept++}`;
    ours.writeWeights(path());
    const { parameters } = await peer.ask<{ parameters: number }>({
      do: 'model',
      ...form,
      keep,
      config,
      items,
      path: path(),
    });
    expect(parameters).toBe(ours.parameters);
    const loss = await ours.writeGradients(path(), batch);
    const found = await peer.ask<{ loss: number; worst: number; tensor: string }>({
      do: 'check',
      model: keep,
      batch: theirs,
      path: path(),
    });
    console.log(
      `  ${label(form)}: loss ${found.loss.toFixed(6)} (ours ${loss.toFixed(6)}), gradients within ${found.worst.toExponential(1)}`,
    );
    expect(Math.abs(found.loss - loss) / loss).toBeLessThan(AGREEMENT);
    expect(found.worst, found.tensor).toBeLessThan(AGREEMENT);
    return keep;
  }

  const peerSide = (name: string, command: Record<string, unknown>): Side => ({
    name,
    measure: () => peer.ask<Spent>({ do: 'measure', ...command }),
  });
  const ourSide = (run: () => Promise<void>): Side => ({
    name: `ours, ${BACKEND}`,
    // V8 compiles what is called often, which a training of thousands of steps pays for once.
    warmups: 25,
    measure: () => spentOn(run),
  });

  it.each([ROWS, 4 * ROWS])(
    'selective scan alone, %i rows',
    async (rows) => {
      const scan = createScan(rows, LENGTH, 128, 32);
      await scan.write(path());
      const sides = [ourSide(scan.run)];
      for (const form of [...FORMS, ...(rows === ROWS ? COMPILED : [])]) {
        const keep = `scan ${kept++}`;
        const { worst, tensor } = await peer.ask<{ worst: number; tensor: string }>({
          do: 'scan',
          ...form,
          keep,
          path: path(),
        });
        expect(worst, tensor).toBeLessThan(AGREEMENT);
        sides.push(peerSide(label(form), { scan: keep }));
      }
      await rounds(
        `Gated selective scan, forward and backward: ${rows} x ${LENGTH} steps, 128 channels, 32 states`,
        rows * LENGTH,
        'tokens',
        sides,
        by,
      );
      scan.dispose();
      await peer.ask({ do: 'forget' });
    },
    1_800_000,
  );

  it.each<[string, Partial<ModelConfig>, Form[]]>([
    ['Mamba4Rec, 1 layer', {}, FORMS],
    ['Mamba4Rec, 2 layers', { layers: 2 }, FORMS],
    [
      'TiM4Rec, 2 layers, loss at the last position',
      { name: 'tim4rec', layers: 2, headDim: 32, time: 'paper' },
      FORMS.slice(0, 2),
    ],
  ])('training step: %s', async (name, settings, forms) => {
    const config = { ...DEFAULT_MODEL, maxLength: LENGTH, ...settings };
    const batch = fullBatch(config.name === 'tim4rec');
    const theirs = await keepBatch(batch);
    const ours = createOurs(config, ITEMS);
    const sides = [ourSide(() => ours.train([batch]))];
    console.log(`\n${name}`);
    for (const form of forms) {
      const model = await keepModel(ours, config, ITEMS, form, [batch, theirs]);
      sides.push(peerSide(label(form), { model, batches: [theirs] }));
    }
    const title = `${name}: training step, dim 64, 32 states, ${ROWS} x ${LENGTH} steps, ${ITEMS + 1} items`;
    await rounds(title, ROWS * LENGTH, 'tokens', sides, by);
    ours.dispose();
    await peer.ask({ do: 'forget' });
  });

  it('training on histories of very different length: real tokens', async () => {
    const { source, items, numItems, windows } = await realWindows(8 * ROWS, LENGTH);
    const config = { ...DEFAULT_MODEL, maxLength: LENGTH };
    const tokens = windows.reduce((sum, w) => sum + w.length, 0);
    const inSteps = <T>(list: readonly T[]) =>
      Array.from({ length: Math.ceil(list.length / ROWS) }, (_, i) => list.slice(i * ROWS, (i + 1) * ROWS));
    const packed = inSteps(packRows(windows, LENGTH)).map((rows) => assemble(items, rows, LENGTH, 'all'));
    const padded = inSteps(windows).map((group) => group.map((w) => [w]));
    const sorted = inSteps([...windows].sort((a, b) => a.length - b.length));
    const ours = createOurs(config, numItems);
    const theirs = await Promise.all(padded.map((rows) => keepBatch(assemble(items, rows, LENGTH, 'all'))));
    const alike = await Promise.all(
      sorted.map((group) => {
        const longest = Math.max(...group.map((w) => w.length));
        return keepBatch(
          assemble(
            items,
            group.map((w) => [w]),
            longest,
            'all',
          ),
        );
      }),
    );
    console.log(`\nReal tokens: ${source}`);
    // The same eight histories: packed here, one a row and padded there.
    const same = assemble(items, packRows(windows.slice(0, ROWS), LENGTH), LENGTH, 'all');
    const sides = [ourSide(() => ours.train(packed))];
    for (const form of FORMS) {
      const model = await keepModel(ours, config, numItems, form, [same, theirs[0]!]);
      sides.push(peerSide(`${label(form)}, padded`, { model, batches: theirs }));
      if (form.form !== 'parallel')
        sides.push(peerSide(`${label(form)}, like lengths together`, { model, batches: alike }));
    }
    const places = { ours: packed.reduce((n, b) => n + b.rows, 0), theirs: windows.length };
    await rounds(
      `Mamba4Rec, 1 layer: ${tokens} real tokens in ${places.ours} packed rows here, ${places.theirs} padded rows there`,
      tokens,
      'real tokens',
      sides,
      by,
    );
    ours.dispose();
  });
});

/** Rows without padding; a target at every position, or at the last one alone where there are timestamps. */
function fullBatch(timed: boolean): TrainingBatch {
  const random = createRandom('peers');
  const size = ROWS * LENGTH;
  const ids = () => Int32Array.from({ length: size }, () => 1 + random.int(ITEMS));
  let now = 0;
  return {
    rows: ROWS,
    length: LENGTH,
    tokens: size,
    predicted: timed ? ROWS : size,
    items: ids(),
    targets: ids().map((target, p) => (timed && p % LENGTH !== LENGTH - 1 ? -1 : target)),
    reset: Int32Array.from({ length: size }, (_, p) => (p % LENGTH === 0 ? 1 : 0)),
    ...(timed
      ? { timestamps: Float64Array.from({ length: size }, () => (now += random.int(random.int(20_000) + 1))) }
      : {}),
  };
}
