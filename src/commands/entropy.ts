/** `perflaw entropy FILE`: how regular the histories in a file are, or one series of symbols or numbers. */
import type { Argv } from 'yargs';
import type { SequenceMeasures } from '../data/entropy/measures.js';
import { ExitCode, UserError } from '../util/errors.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { addImportOptions, importArguments } from './options/import-options.js';

export function options(yargs: Argv): Argv {
  return addImportOptions(
    yargs
      .positional('file', {
        type: 'string',
        demandOption: true,
        description: 'Interactions in any readable format, or one value a line',
      })
      .option('series', { type: 'string', description: 'Take this column of the table as one series' })
      .option('window', {
        alias: 'm',
        type: 'number',
        description: 'Window length m of ApEn [1; 2 with a tolerance]',
      })
      .option('tolerance', {
        alias: 'r',
        type: 'number',
        description: 'Tolerance r for a numeric series [0: symbols are equal or not]',
      })
      .option('tolerance-std', {
        type: 'number',
        conflicts: 'tolerance',
        description: 'The same in standard deviations of the series, 0.2 as a rule',
      })
      .option('stream', {
        type: 'boolean',
        default: false,
        description: 'Never hold the table in memory: for data larger than that (sorted on disk)',
      })
      .option('circular', {
        type: 'boolean',
        default: false,
        description: 'Windows of a series run on from its end to its start (NIST SP 800-22)',
      }),
  )
    .example('$0 entropy events.csv', 'Histories of all users: pooled, and the mean over users')
    .example('$0 entropy bits.txt -m 3 --circular', 'One symbol a line')
    .example('$0 entropy pulse.csv --series rate --tolerance-std 0.2', 'A numeric series');
}

export async function run(args: Arguments): Promise<number> {
  const path = args['file'] as string;
  for (const name of ['window', 'tolerance', 'tolerance-std']) {
    const value = args[name] as number | undefined;
    if (value !== undefined && !(Number.isFinite(value) && value >= 0))
      throw new UserError(`--${name} must be a number, 0 or more`);
  }
  const { isSeries } = await import('../data/read/file/detect.js');
  const column = args['series'] as string | undefined;
  if (column !== undefined || isSeries(path)) return series(path, column, args);
  for (const name of ['tolerance', 'tolerance-std', 'circular'])
    if (args[name])
      throw new UserError(`--${name} is for one series; this file holds histories`, {
        place: path,
        remedy: 'Name a column: --series COLUMN.',
      });
  return histories(path, args);
}

async function histories(path: string, args: Arguments): Promise<number> {
  const { apen, items, measures, warnings } =
    args['stream'] === true ? await streamed(path, args) : await inMemory(path, args);
  const result = {
    file: path,
    users: measures.users,
    items,
    interactions: measures.tokens,
    apen: { r: 0, ...apen },
    lempelZiv: { phrases: measures.lempelZiv, prefix: measures.lempelZivPrefix },
    shannon: measures.shannon,
    compression: measures.compression,
    repeatShare: measures.repeatShare,
    warnings,
  };
  if (args.json) {
    printJson(result);
    return ExitCode.ok;
  }
  const { m, pooled, perUser } = apen;
  print(`${result.users} users, ${items} items, ${result.interactions} interactions; entropies in nats`);
  print(lineOf(`ApEn(${m}), pooled`, pooled, 'one stream of all users, no window across two'));
  print(lineOf(`ApEn(${m}), per user`, perUser, 'mean over users'));
  print(lineOf('Lempel-Ziv', result.lempelZiv.phrases, 'phrase-set form, mean over users'));
  print(lineOf('Lempel-Ziv, prefix', result.lempelZiv.prefix, 'form of Song et al. 2010, mean over users'));
  print(lineOf('Shannon', result.shannon, "of the items' popularity"));
  print(lineOf('zlib ratio', result.compression, 'compressed over plain bytes'));
  print(lineOf('repeats', result.repeatShare, 'share of events whose item occurred before in the history'));
  for (const warning of warnings) note(`Note: ${warning}`);
  return ExitCode.ok;
}

interface Measured {
  apen: { m: number; pooled: number | null; perUser: number | null };
  items: number;
  measures: SequenceMeasures;
  warnings: string[];
}

async function inMemory(path: string, args: Arguments): Promise<Measured> {
  const [{ openDataset }, { measureSequences, measureWarnings }, apen] = await Promise.all([
    import('../data/dataset.js'),
    import('../data/entropy/measures.js'),
    import('../data/entropy/apen.js'),
  ]);
  const data = await openDataset(path, {
    kCore: 0,
    ...importArguments(args),
    onNote: note,
    evaluable: false,
  });
  const users = Int32Array.from({ length: data.numUsers }, (_, u) => u);
  const sequences = { users, offsets: data.offsets, items: data.items, timestamps: data.timestamps };
  const m = (args['window'] as number | undefined) ?? 1;
  const measures = measureSequences(sequences);
  return {
    apen: {
      m,
      pooled: finite(apen.pooledApproximateEntropy(sequences, m)),
      perUser: finite(apen.perUserApproximateEntropy(sequences, m).mean),
    },
    items: data.numItems,
    measures,
    warnings: measureWarnings(sequences, measures),
  };
}

async function streamed(path: string, args: Arguments): Promise<Measured> {
  const { kCore, timestamps: _timestamps, duplicates, ...reading } = importArguments(args);
  if (kCore !== undefined && kCore > 1)
    throw new UserError('--stream reads the data as it is, without a k-core', {
      remedy: 'Leave out --k-core.',
    });
  if (duplicates !== undefined && duplicates !== 'keep')
    throw new UserError('--stream keeps duplicates', { remedy: 'Leave out --stream, or --duplicates.' });
  const [{ eachHistory }, { HistoryMeter }] = await Promise.all([
    import('../data/import/histories.js'),
    import('../data/entropy/meter.js'),
  ]);
  const meter = new HistoryMeter((args['window'] as number | undefined) ?? 1);
  const items = await eachHistory(path, { ...reading, onNote: note }, (history) => meter.add(history));
  const measures = meter.finish();
  const { m, pooled, perUser } = meter.apenOf();
  return {
    apen: { m, pooled: finite(pooled), perUser: finite(perUser) },
    items,
    measures,
    warnings: meter.warnings(measures),
  };
}

const finite = (value: number) => (Number.isNaN(value) ? null : value);

async function series(path: string, column: string | undefined, args: Arguments): Promise<number> {
  const [{ readColumn, readSeries }, apen, { lempelZivEntropy }, { shannonEntropy }] = await Promise.all([
    import('../data/series.js'),
    import('../data/entropy/apen.js'),
    import('../data/entropy/lempel-ziv.js'),
    import('../data/entropy/shannon.js'),
  ]);
  const { format, delimiter, header, quote } = importArguments(args);
  const values =
    column === undefined
      ? readSeries(path)
      : await readColumn(path, column, { format, delimiter, header, quote });
  if (values.length === 0) throw new UserError('the series is empty', { place: path });
  const inStd = args['tolerance-std'] as number | undefined;
  const tolerant = inStd !== undefined || ((args['tolerance'] as number | undefined) ?? 0) > 0;
  const m = (args['window'] as number | undefined) ?? (tolerant ? 2 : 1);
  const numbers = tolerant ? values.map(Number) : [];
  const bad = numbers.findIndex((value, i) => !Number.isFinite(value) || values[i] === '');
  if (bad >= 0)
    throw new UserError(`value ${bad + 1}, ${JSON.stringify(values[bad]!.slice(0, 60))}, is not a number`, {
      place: path,
      remedy: 'Without a tolerance, values are compared as symbols.',
    });
  const r =
    inStd === undefined
      ? ((args['tolerance'] as number | undefined) ?? 0)
      : inStd * apen.standardDeviation(numbers);
  const value = apen.approximateEntropy(r > 0 ? numbers : values, {
    m,
    r,
    circular: args['circular'] === true,
  });
  const result = {
    file: path,
    length: values.length,
    distinct: new Set(values).size,
    apen: { m, r, circular: args['circular'] === true, value: Number.isNaN(value) ? null : value },
    lempelZiv: {
      phrases: lempelZivEntropy(values),
      prefix: lempelZivEntropy(values, 'prefix'),
    },
    shannon: shannonEntropy(values),
    warnings: seriesWarnings(values, { m, r, value }),
  };
  if (args.json) {
    printJson(result);
    return ExitCode.ok;
  }
  print(`${result.length} values, ${result.distinct} distinct; entropies in nats`);
  print(
    lineOf(
      `ApEn(${m}, ${Number(r.toPrecision(6))})`,
      result.apen.value,
      r > 0 ? 'within the tolerance' : 'equal symbols',
    ),
  );
  print(lineOf('Lempel-Ziv', result.lempelZiv.phrases, 'phrase-set form'));
  print(lineOf('Lempel-Ziv, prefix', result.lempelZiv.prefix, 'form of Song et al. 2010'));
  print(lineOf('Shannon', result.shannon, 'order disregarded'));
  for (const warning of result.warnings) note(`Note: ${warning}`);
  return ExitCode.ok;
}

/** Where a measure of one series says nothing of its order. */
function seriesWarnings(
  values: readonly string[],
  { m, r, value }: { m: number; r: number; value: number },
): string[] {
  const distinct = new Set(values).size;
  const n = values.length;
  if (n <= m) return [`The series has ${n} values: windows of ${m + 1} do not fit, and ApEn has no value.`];
  if (distinct === 1 && n > 1) return ['All values are equal: the measures follow from the length alone.'];
  const warnings: string[] = [];
  if (distinct === n)
    warnings.push(
      `No value occurs twice: Lempel-Ziv and Shannon entropy${r > 0 ? '' : ' and ApEn'} follow from the length alone.`,
    );
  // every window matches itself only: Phi^m = -ln(number of windows)
  if (r > 0 && Math.abs(value - Math.log((n - m) / (n - m + 1))) < 1e-12)
    warnings.push(
      'No two windows lie within the tolerance: ApEn follows from the length alone. Take a larger one.',
    );
  return warnings;
}

function lineOf(name: string, value: number | null, meaning: string): string {
  return `  ${name.padEnd(20)} ${(value === null ? 'none' : value.toFixed(6)).padStart(10)}  ${meaning}`;
}
