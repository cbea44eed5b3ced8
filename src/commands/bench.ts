/** `perflaw bench`: how fast training steps are on this machine, and on a GPU what each dispatch takes beside what bounds it. */
import type { Argv } from 'yargs';
import { BACKENDS } from '../kernels/choose.js';
import { DEFAULT_MODEL, MODEL_NAMES, type ModelName } from '../model/config.js';
import type { StepMeasure } from '../train/bench/measure.js';
import { ExitCode, UserError } from '../util/errors.js';
import { formatBytes, formatCount } from '../util/format.js';
import { formatTable } from '../util/table.js';
import { type Arguments, note, print, printJson } from './options/command.js';

/** Items of MovieLens 1M. */
const ITEMS = 3416;

export function options(yargs: Argv): Argv {
  const number = (initial: number, description: string) => ({
    type: 'number' as const,
    default: initial,
    description,
  });
  return yargs
    .option('model', { array: true, type: 'string', choices: MODEL_NAMES, description: 'Models (all)' })
    .option('dim', { array: true, type: 'number', default: [DEFAULT_MODEL.dim], description: 'Widths' })
    .option('rows', { array: true, type: 'number', default: [8], description: 'Rows a step, for each width' })
    .option('layers', number(DEFAULT_MODEL.layers, 'Layers'))
    .option('max-length', number(DEFAULT_MODEL.maxLength, 'Tokens of a row'))
    .option('items', number(ITEMS, 'Items of the catalogue'))
    .option('steps', number(10, 'Steps a round'))
    .option('rounds', number(3, 'Rounds; the median counts'))
    .option('backend', { type: 'string', default: 'auto', description: `auto, ${BACKENDS.join(', ')}` })
    .option('bound', {
      type: 'string',
      description:
        'Device of whose data sheet the bounds are: h100, h200, a100, rtx4090, integrated (this one)',
    })
    .option('profile', {
      type: 'boolean',
      default: false,
      description: 'Each program on the GPU, with its bound',
    })
    .example('$0 bench --dim 64 256 --profile', 'Two widths, and what each kernel takes')
    .example('$0 bench --model mamba4rec --profile --bound integrated', 'What another device would allow');
}

export async function run(args: Arguments): Promise<number> {
  const { openBackend, currentDevice } = await import('../kernels/backend.js');
  const { deviceBound } = await import('../train/bench/bound.js');
  const { measureStep } = await import('../train/bench/measure.js');
  const bound = args['bound'] === undefined ? undefined : deviceBound(args['bound'] as string);
  const whole = (name: string, value: unknown): number => {
    if (!Number.isInteger(value) || (value as number) < 1)
      throw new UserError(`--${name} must be a whole number of at least 1, not ${value}`);
    return value as number;
  };
  const list = (name: string) => (args[name] as unknown[]).map((value) => whole(name, value));
  const number = (name: string) => whole(name, args[name]);
  const backend = await openBackend(args['backend'] as string, note);
  const measures: StepMeasure[] = [];
  for (const name of (args['model'] as ModelName[] | undefined) ?? MODEL_NAMES)
    for (const dim of list('dim'))
      for (const rows of list('rows')) {
        const model = { name, dim, layers: number('layers'), maxLength: number('max-length') };
        const measure = await measureStep(
          { model, rows, items: number('items'), backend },
          {
            steps: number('steps'),
            rounds: number('rounds'),
            bound,
            fallback: deviceBound('h100'),
          },
        );
        measures.push(measure);
        if (!args.json && args['profile']) printPrograms(measure);
      }
  if (args.json) printJson({ backend, device: currentDevice()?.name ?? null, steps: measures });
  else printSteps(measures);
  return ExitCode.ok;
}

const ms = (seconds: number | undefined) => (seconds === undefined ? '' : (1000 * seconds).toFixed(3));

function printSteps(measures: StepMeasure[]): void {
  const gpu = measures.some((measure) => measure.gpu);
  print(
    formatTable(
      [
        ...['model', 'dim', 'rows', 'ms', 'tokens/s', 'GFLOP/s'],
        ...(gpu ? ['on the GPU, ms', 'bound, ms', 'dispatches', 'bytes', 'reads'] : []),
      ],
      measures.map((m) => [
        ...[m.model, `${m.dim}`, `${m.rows}`, ms(m.seconds), formatCount(Math.round(m.tokensPerSecond))],
        (m.flopsPerSecond / 1e9).toFixed(1),
        ...(m.gpu
          ? [
              ms(m.gpu.busySeconds),
              ms(m.gpu.bound.seconds),
              `${m.gpu.dispatches}`,
              formatBytes(m.gpu.bytes),
              `${m.gpu.reads}`,
            ]
          : []),
      ]),
    ),
  );
  if (gpu) print(`Bounds are those of: ${measures[0]!.gpu!.bound.device}.`);
}

function printPrograms({ model, dim, rows, gpu }: StepMeasure): void {
  if (!gpu) return;
  print(`\n${model}, dim ${dim}, ${rows} rows`);
  print(
    formatTable(
      ['program', 'dispatches', 'ms', 'bound, ms', 'of it memory', 'arithmetic', 'launch', 'bytes'],
      gpu.programs.map((p) => [
        p.program,
        `${p.dispatches}`,
        ms(p.seconds),
        ms(p.bound),
        ms(p.boundBy.memory),
        ms(p.boundBy.arithmetic),
        ms(p.boundBy.launch),
        formatBytes(p.bytes),
      ]),
    ),
  );
}
