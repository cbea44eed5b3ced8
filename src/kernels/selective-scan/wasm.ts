/** The selective scan's kernels on wasm (assembly/selective-scan.ts, assembly/head-scan.ts). */
import type * as tf from '@tensorflow/tfjs';
import { sizeOf } from '../shapes.js';
import type { KernelExports } from '../wasm/exports.js';
import { wasmKernel } from '../wasm/module.js';
import { Program } from '../wasm/threads/programs.js';
import { lines } from '../wasm/threads/share.js';
import { carriesBytes, scanBackwardNumbers } from './program.js';

/** What tells the two forms of the op apart: the compiled functions, and the sizes that they begin with. */
interface ScanForm {
  name: string;
  /** channels, (heads,) states */
  widths(inputs: tf.NamedTensorInfoMap): number[];
  forward: 'scanForward' | 'headScanForward';
  backward: 'scanBackward' | 'headScanBackward';
  keptFloats: 'scanKeptFloats' | 'headScanKeptFloats';
  sharedBytes: 'scanBackwardKeptBytes' | 'headScanBackwardKeptBytes';
  carryBytes: 'scanCarryBytes' | 'headScanCarryBytes';
  /** In what portions threads share the way back: eight channels, or a head. */
  step: 8 | 1;
}

const FORMS: ScanForm[] = [
  {
    name: 'SelectiveScan',
    widths: ({ A }) => [A!.shape[0]!, A!.shape[1]!],
    forward: 'scanForward',
    backward: 'scanBackward',
    keptFloats: 'scanKeptFloats',
    sharedBytes: 'scanBackwardKeptBytes',
    carryBytes: 'scanCarryBytes',
    step: 8,
  },
  {
    name: 'HeadScan',
    widths: ({ x, A, B }) => [x!.shape[2]!, A!.shape[0]!, B!.shape[2]!],
    forward: 'headScanForward',
    backward: 'headScanBackward',
    keptFloats: 'headScanKeptFloats',
    sharedBytes: 'headScanBackwardKeptBytes',
    carryBytes: 'headScanCarryBytes',
    step: 1,
  },
];

/** Steps times channels times states that are worth a thread's while. */
const LEAST = 50_000;
/** Steps a block, as in assembly/scan/selective-scan.ts. */
const BLOCK = 16;

type Numeric = (...args: number[]) => number;

function scanKernels(form: ScanForm): tf.KernelConfig[] {
  return [
    wasmKernel(form.name, (wasm, inputs, attrs) => {
      const { exports, output, spread } = wasm;
      const [batch, length] = inputs['x']!.shape as [number, number];
      const widths = form.widths(inputs);
      const y = output(inputs['x']!.shape);
      // States at the beginning of every block, for the way back.
      const keptFloats = (exports[form.keptFloats] as Numeric)(length, ...widths);
      const kept = attrs['recorded'] ? output([batch, keptFloats]) : undefined;
      const { x, delta, A, B, C, D, z, deltaBias, reset } = inputs;
      /** Address of a tensor's row, and the tensors that have rows. */
      const by = (tensor: tf.TensorInfo | undefined) => {
        const address = wasm.at(tensor);
        const bytes = tensor ? (4 * sizeOf(tensor)) / batch : 0;
        return (first: number) => address && address + first * bytes;
      };
      const rows = {
        x: by(x),
        delta: by(delta),
        B: by(B),
        C: by(C),
        z: by(z),
        reset: by(reset),
        y: by(y),
        kept: by(kept),
      };
      const [decays, skip, bias] = [wasm.at(A), wasm.at(D), wasm.at(deltaBias)];
      const scratch = (exports[`${form.forward}Bytes`] as Numeric)(...widths);
      // A row at a time: its states follow from one another.
      const least = Math.ceil(LEAST / (length * widths[0]! * widths.at(-1)!));
      spread(form.forward, batch, { least, scratch }, (first, count, room) => [
        ...[count, length, ...widths],
        ...[
          rows.x(first),
          rows.delta(first),
          decays,
          rows.B(first),
          rows.C(first),
          skip,
          rows.z(first),
          bias,
        ],
        ...[Number(attrs['deltaSoftplus']), rows.reset(first), rows.y(first), rows.kept(first), room],
      ]);
      return kept ? [y, kept] : y;
    }),
    wasmKernel(`${form.name}Grad`, (wasm, inputs, attrs) => {
      const { exports, at, output } = wasm;
      const { x, delta, A, B, C, D, z, deltaBias, reset, dy, kept } = inputs;
      const given = [x, delta, A, B, C, D, z, deltaBias];
      const gradients = given.map((tensor) => tensor && output(tensor.shape));
      const [batch, length] = x!.shape as [number, number];
      const widths = form.widths(inputs);
      const sizeOfPart = (name: string) =>
        lines((exports[name as keyof KernelExports] as Numeric)(...widths));
      const threads = wasm.threads();
      const [shared, carryBytes] = [sizeOfPart(form.sharedBytes), sizeOfPart(form.carryBytes)];
      const scratchBytes = sizeOfPart(`${form.backward}Bytes`);
      const carries = lines(carriesBytes(carryBytes, threads));
      const begin = lines(wasm.scratch(64 + shared + carries + threads * scratchBytes));
      const rest = [
        ...[batch, length, ...widths, ...given.map(at), Number(attrs['deltaSoftplus']), at(reset)],
        ...[dy, ...gradients, kept].map(at),
      ];
      const numbers = scanBackwardNumbers({
        heads: form.name === 'HeadScan',
        batch,
        blocks: Math.ceil(length / BLOCK),
        units: form.step === 1 ? widths[1]! : widths[0]!,
        step: form.step,
        carryBytes,
        carries: begin + shared,
        shared: begin,
        scratch: begin + shared + carries,
        scratchBytes,
        rest,
      });
      const most = Math.max(1, Math.floor((batch * length * widths[0]! * widths.at(-1)!) / LEAST));
      wasm.run(Program.scanBackward, numbers, most);
      return gradients.filter((tensor) => tensor !== undefined);
    }),
  ];
}

export const kernels: tf.KernelConfig[] = FORMS.flatMap(scanKernels);
