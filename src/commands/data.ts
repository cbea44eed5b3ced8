/** `perflaw data list|fetch|import|describe`: which data sets there are, how to get one, what is in it. */
import { relative } from 'node:path';
import type { Argv } from 'yargs';
import { ExitCode, UserError } from '../util/errors.js';
import { formatBytes, formatCount } from '../util/format.js';
import { formatTable } from '../util/table.js';
import { workspace } from '../util/workspace.js';
import { type Arguments, note, print, printJson } from './options/command.js';
import { addImportOptions, IMPORT_OPTIONS, importArguments } from './options/import-options.js';

const ACTIONS = ['list', 'fetch', 'import', 'describe'] as const;

export function options(yargs: Argv): Argv {
  return addImportOptions(
    yargs
      .positional('action', { choices: ACTIONS, demandOption: true, description: 'What to do' })
      .positional('source', {
        type: 'string',
        description: "A catalogue name (fetch), a file (import), a name, a file or 'synthetic' (describe)",
      })
      .option('name', { type: 'string', description: "import: the data set's name [the file's]" })
      .option('from-file', {
        type: 'string',
        description: 'fetch: the archive, or the file from it, that you have already; nothing is downloaded',
      })
      .option('skip-checksum', {
        type: 'boolean',
        default: false,
        description: 'fetch: accept another edition of the file',
      })
      .option('slice', {
        type: 'string',
        array: true,
        description: 'describe: slices to measure, e.g. users=0.5,length=50 all [quarters of the users]',
      }),
  )
    .example('$0 data list', 'The catalogue, and what is here already')
    .example('$0 data fetch ml-1m', 'Download, check, read and store MovieLens 1M')
    .example('$0 data fetch ml-100k --from-file u.data', 'The same from a file you have')
    .example('$0 data import events.csv --user customer --item sku --time at --name shop', 'Your own data')
    .example('$0 data describe shop', 'Counts, lengths, entropies, tokens by slice');
}

/** Which options each action reads; the others would be ignored in silence. */
const READS: Record<(typeof ACTIONS)[number], string[]> = {
  list: [],
  fetch: ['from-file', 'skip-checksum', 'k-core', 'timestamps'],
  import: ['name', ...IMPORT_OPTIONS],
  describe: ['slice', ...IMPORT_OPTIONS],
};

export async function run(args: Arguments): Promise<number> {
  const action = args['action'] as (typeof ACTIONS)[number];
  for (const name of ['name', 'from-file', 'skip-checksum', 'slice', ...IMPORT_OPTIONS])
    if (args[name] !== undefined && args[name] !== false && !READS[action].includes(name))
      throw new UserError(`--${name} has no meaning for \`perflaw data ${action}\``, {
        remedy: 'See `perflaw data --help`.',
      });
  const source = args['source'] as string | undefined;
  switch (action) {
    case 'list':
      return list(args);
    case 'fetch':
      return fetchNamed(needed(source, 'fetch NAME', '`perflaw data list` shows the names.'), args);
    case 'import':
      return importNamed(needed(source, 'import FILE', 'Name the file to read.'), args);
    case 'describe':
      return describe(needed(source, 'describe NAME', 'Name a data set or a file.'), args);
  }
}

function needed(source: string | undefined, usage: string, remedy: string): string {
  if (source === undefined || source === '') throw new UserError(`what? perflaw data ${usage}`, { remedy });
  return source;
}

async function list(args: Arguments): Promise<number> {
  const [{ loadCatalogue }, { importedNames, readInfo }] = await Promise.all([
    import('../data/fetch/catalogue.js'),
    import('../data/import/stored.js'),
  ]);
  const { datasets } = workspace();
  const catalogue = await loadCatalogue(datasets);
  const imported = importedNames(datasets);
  const names = [...new Set(['synthetic', ...catalogue.keys(), ...imported])];
  const entries = names.map((name) => {
    const info = imported.includes(name) ? readInfo(datasets, name) : undefined;
    const descriptor = catalogue.get(name);
    return {
      name,
      title: name === 'synthetic' ? 'Generated histories (embedded)' : (descriptor?.title ?? 'Imported'),
      here: name === 'synthetic' || info !== undefined,
      users: info?.users,
      items: info?.items,
      interactions: info?.interactions,
      terms: descriptor?.terms,
      url: descriptor?.url,
      source: info?.source,
    };
  });
  if (args.json) {
    printJson(entries);
    return ExitCode.ok;
  }
  const number = (value: number | undefined) => (value === undefined ? '' : String(value));
  print(
    formatTable(
      ['name', 'title', 'here', 'users', 'items', 'interactions'],
      entries.map((e) => [
        e.name,
        e.title,
        e.here ? 'yes' : 'no',
        number(e.users),
        number(e.items),
        number(e.interactions),
      ]),
    ),
  );
  print('\nGet one: perflaw data fetch NAME. Your own: perflaw data import FILE --name NAME.');
  return ExitCode.ok;
}

async function fetchNamed(name: string, args: Arguments): Promise<number> {
  const { fetchDataset } = await import('../data/fetch/fetch.js');
  const { kCore, timestamps } = importArguments(args);
  const info = await fetchDataset(name, {
    fromFile: args['from-file'] as string | undefined,
    skipChecksum: args['skip-checksum'] === true,
    read: { kCore, timestamps },
    onNote: note,
    onProgress: progress(),
  });
  return report(info, args);
}

async function importNamed(path: string, args: Arguments): Promise<number> {
  const [{ importFile, nameOf }, { importOptions }, { checkDatasetName, storeDataset }] = await Promise.all([
    import('../data/import/import.js'),
    import('../data/dataset.js'),
    import('../data/import/stored.js'),
  ]);
  const name = checkDatasetName((args['name'] as string | undefined) ?? nameOf(path));
  const options = importOptions({ ...importArguments(args), name });
  const imported = await importFile(path, options);
  for (const text of imported.notes) note(text);
  return report(storeDataset(workspace().datasets, imported, path, options, false), args);
}

async function report(
  info: import('../data/import/stored.js').DatasetInfo,
  args: Arguments,
): Promise<number> {
  if (args.json) printJson(info);
  else {
    const { cachePath } = await import('../data/import/stored.js');
    const place = relative(process.cwd(), cachePath(workspace().datasets, info.name));
    print(
      `${info.name}: ${info.users} users, ${info.items} items, ${info.interactions} interactions (${place})`,
    );
    print(`  Look at it: perflaw data describe ${info.name}`);
  }
  return ExitCode.ok;
}

/** At most one line a second, or a tenth of the way. */
function progress(): (bytes: number, total: number | undefined) => void {
  let last = 0;
  return (bytes, total) => {
    const now = performance.now();
    if (now - last < 1000) return;
    last = now;
    note(`  ${formatBytes(bytes)}${total === undefined ? '' : ` of ${formatBytes(total)}`}`);
  };
}

async function describe(source: string, args: Arguments): Promise<number> {
  const [{ describeDataset, DEFAULT_SLICES }, { openDataset }, { parseSlice }, stored] = await Promise.all([
    import('../data/describe.js'),
    import('../data/dataset.js'),
    import('../data/slice.js'),
    import('../data/import/stored.js'),
  ]);
  const slices = (args['slice'] as string[] | undefined)?.map(parseSlice) ?? DEFAULT_SLICES;
  const data = await openDataset(source, { ...importArguments(args), onNote: note, evaluable: false });
  const description = describeDataset(data, slices);
  // A name was read some day: how, and what was left out then, lies beside it.
  const info = stored.isDatasetName(source) ? stored.readInfo(workspace().datasets, source) : undefined;
  for (const text of info?.notes ?? []) note(text);
  if (args.json) {
    printJson(info?.reading ? { ...description, reading: info.reading } : description);
    return ExitCode.ok;
  }
  const { lengths, time } = description;
  print(`${description.name} (${description.hash.slice(0, 10)})`);
  print(`  users         ${description.users} (${description.evaluatedUsers} evaluated)`);
  print(`  items         ${description.items}`);
  print(
    `  interactions  ${description.interactions}, density ${(100 * description.density).toPrecision(3)} %`,
  );
  print(
    `  lengths       ${lengths.min} to ${lengths.max}, median ${lengths.median}, mean ${lengths.mean.toFixed(1)}`,
  );
  print(
    `  time          ${time ? `${time.from} to ${time.to} (${time.days.toFixed(0)} days)` : 'no clock, an order only'}`,
  );
  print('\nTraining sequences by slice (all but the last two events of a user; entropies in nats):');
  const figure = (value: number) => value.toFixed(4);
  print(
    formatTable(
      [
        'slice',
        'users',
        'tokens',
        'ApEn pooled',
        'ApEn/user',
        'Lempel-Ziv',
        'LZ prefix',
        'Shannon',
        'surprisal',
        'zlib',
        'repeats %',
      ],
      description.slices.map((s) => [
        s.label,
        String(s.users),
        formatCount(s.tokens),
        figure(s.apenPooled),
        figure(s.apenPerUser),
        figure(s.lempelZiv),
        figure(s.lempelZivPrefix),
        figure(s.shannon),
        figure(s.surprisal),
        figure(s.compression),
        (100 * s.repeatShare).toFixed(1),
      ]),
      { spare: ['repeats %', 'zlib', 'LZ prefix', 'surprisal', 'Shannon', 'ApEn/user'] },
    ),
  );
  if (description.looseCeilingAt10 !== null)
    print(
      `\nLoose ceiling of HR@10 from the Lempel-Ziv entropy of single histories: ${description.looseCeilingAt10.toFixed(3)} (a diagnostic, not a forecast).`,
    );
  for (const warning of description.warnings) note(`Note: ${warning}`);
  return ExitCode.ok;
}
