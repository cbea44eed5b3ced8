/**
 * What is a setting of a run, so that runs that differ in it are no repeats of one another. There is one rule, for sweeps, tables
 * and reports: every setting that varies parts the runs, and those that differ in nothing but the seed are repeats. A table made
 * elsewhere has columns whose names say nothing: there it follows from how the values lie over the configurations.
 */
import { UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';

/** Settings by name: `{ model: 'mamba4rec', learningRate: 0.001 }`. */
export type Settings = Record<string, string | number>;

/** Every setting that perflaw itself knows, by the names of sweep files and of `perflaw results`, in the order of labels. */
export const SETTING_NAMES: readonly string[] = (
  'data model dState dConv expand headDim maxLength dropout init residual time timeGate timeDropout convInit beta reverseOutput ' +
  'hiddenShare embeddingNorm epochs patience rows loss prefixes negatives proposal learningRate schedule warmup weightDecay ' +
  'clipNorm evaluateEvery evaluateSteps select history split evaluatedUsers testUsers backend startFrom'
).split(' ');

/** Settings that decide a point of a law, and the seed, which decides nothing: they part no runs. */
const PARTS_NOTHING: readonly string[] = ['layers', 'dim', 'seed'];

/** What a run without the setting does, in a word. */
export const absentSetting = (name: string) => ABSENT[name] ?? 'none';
const ABSENT: Readonly<Record<string, string>> = { negatives: 'all', residual: 'published' };

/** What people write for a setting. */
const SHORT: Record<string, string> = {
  lr: 'learningrate',
  rate: 'learningrate',
  wd: 'weightdecay',
  bs: 'batchsize',
};

/** Whether two names mean one setting, whatever their spelling: `lr`, `learning_rate` and `learningRate` do. */
export function sameSetting(a: string, b: string): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  const full = (name: string) => SHORT[plain(name)] ?? plain(name);
  return full(a) === full(b);
}

/** A setting by its name, or by what people write for it. @throws UserError for a name that is no setting. */
export function settingNamed(known: readonly string[], name: string, option: string): string {
  const found = known.find((one) => one === name) ?? known.find((one) => sameSetting(one, name));
  if (found !== undefined) return found;
  const near = nearest(name, known);
  throw new UserError(`"${name}" is no setting of this sweep`, {
    place: option,
    remedy: `Settings are ${known.join(', ')}.${near ? ` Is "${near}" meant?` : ''}`,
  });
}

/** The same runs as if these settings did not vary: runs that differ in nothing else become repeats. */
export function withoutSettings<T extends { config?: Settings }>(runs: T[], names: readonly string[]): T[] {
  if (names.length === 0) return runs;
  return runs.map((one) => ({
    ...one,
    config: Object.fromEntries(Object.entries(one.config ?? {}).filter(([name]) => !names.includes(name))),
  }));
}

/** Things that agree in every setting. */
export interface SettingGroup<T> {
  /** The settings in which groups differ, each group with a value of every one; empty where there is one group. */
  settings: Settings;
  items: T[];
}

/** The settings in which runs differ, and their values in the order met; a run without a setting has one of its own. */
export function varyingSettings(
  configs: readonly (Settings | undefined)[],
): Map<string, (string | number)[]> {
  const values = new Map<string, Set<string | number>>();
  const names = [...new Set(configs.flatMap((config) => Object.keys(config ?? {})))].filter(
    (name) => !PARTS_NOTHING.includes(name),
  );
  for (const name of names.sort((a, b) => order(a) - order(b)))
    values.set(name, new Set(configs.map((config) => config?.[name] ?? absentSetting(name))));
  return new Map([...values].filter(([, own]) => own.size > 1).map(([name, own]) => [name, [...own]]));
}

/** Ours in their order, then the others in the order met. */
function order(name: string): number {
  const place = SETTING_NAMES.indexOf(name);
  return place < 0 ? SETTING_NAMES.length : place;
}

/** Parts things by every setting that varies among them. */
export function groupBySettings<T>(
  items: readonly T[],
  configOf: (item: T) => Settings | undefined,
): SettingGroup<T>[] {
  const configs = items.map(configOf);
  const varying = [...varyingSettings(configs).keys()];
  const groups = new Map<string, SettingGroup<T>>();
  items.forEach((item, i) => {
    const settings = Object.fromEntries(
      varying.map((name) => [name, configs[i]?.[name] ?? absentSetting(name)]),
    );
    const key = JSON.stringify(settings);
    const group = groups.get(key) ?? { settings, items: [] };
    group.items.push(item);
    groups.set(key, group);
  });
  return [...groups.values()];
}

/** So many values of a setting are written out. */
const WRITTEN = 6;

/** Which settings part the runs, and into how many laws, in words; undefined where none does. */
export function settingsNote(configs: readonly (Settings | undefined)[]): string | undefined {
  const varying = [...varyingSettings(configs)];
  if (varying.length === 0) return undefined;
  const said = varying.map(([name, values]) => {
    const some = values.slice(0, WRITTEN).join(', ');
    return `${name} (${some}${values.length > WRITTEN ? ` and ${values.length - WRITTEN} more` : ''})`;
  });
  const laws = groupBySettings(configs, (config) => config).length;
  return `runs differ in ${said.join(', ')}: ${laws} settings, each with laws of its own; --tuned NAME takes the best of its values, --ignore NAME takes runs that differ in it as repeats`;
}

/**
 * - `constant`: one value only.
 * - `follows`: runs of one configuration agree in it; it parts nothing.
 * - `setting`: runs of one configuration differ in it, and its few values come back at other sizes.
 * - `outcome`: by its name an identifier, a time, a place or a measurement of the run.
 * - `seed`: another name for the seed.
 * - `distinct`: runs of one configuration differ in it, but its values hardly come back: they cannot part the runs.
 */
export type ColumnRole = 'constant' | 'follows' | 'setting' | 'outcome' | 'seed' | 'distinct';

export interface ColumnQuestion {
  /** The column's name, without what a tracker puts before it. */
  name: string;
  /** Its value in every run, '' where it has none. */
  values: readonly string[];
  /** What is known of every run: slice, layers, dim and known settings, as one text. */
  configurations: readonly string[];
  /** Layers and dim of every run. */
  sizes: readonly string[];
  /** The seed of every run, '' where it is not known. */
  seeds: readonly string[];
}

/** Names, as small words, of what identifies, dates, places or explains a run. */
const LABEL = new RegExp(
  [
    '^(id|ids|uid|guid|index|idx|no|nr|number|row|name|label|title|key|column \\d+|unnamed( \\d+)?)$',
    '(^| )(id|uuid|hash|sha|commit|path|dir|folder|uri|url|file|filename|logdir|hostname|host|pid|ip)$',
    '^(run|trial|experiment|job|task|display|sweep) (name|number|tag|index|no|nr)$',
    '^(run|trial|job|experiment|mlflow|git|system attrs)( |$)',
    '^(user|author|entity|select|notes?|comments?|remarks?|description|reason|message|error|exception|warnings?|stopped)$',
    '(^| )(timestamp|datetime|date|started|finished|ended|created|updated|modified|duration|runtime|elapsed|walltime)( |$)',
    '(^| )time$|^time (s|ms|min|hours?|total|this|since|elapsed|taken)( |$)',
    '^(perflaw|node|python|torch|cuda)( version)?$|^(machine|gpu|device)( name)?$',
  ].join('|'),
);
/** The same of what a run cost and of how it came out; only of numbers, for a loss may be a kind of loss. */
const MEASURED = new RegExp(
  [
    '(^| )(seconds|secs|sec|minutes|hours|memory|bytes|flops|macs|params|parameters|throughput|speed|latency)$',
    '(^| )per (second|sec|step|token)$|^best | (run|seen|trained|reached)$',
    '^(epoch|step|global step|iteration|training iteration|iterations since restore|training tokens)$',
    '(^| )(score|metric|accuracy|acc|f1|error|loss|nll|perplexity|ppl|hr|hit|ndcg|mrr|recall|precision|map|auc)( at)?' +
      '[ \\d]*( (last|best|max|min|mean|std|final|at best))?$',
  ].join('|'),
);

/** `bestEpoch`, `best_epoch` and `Best Epoch` as `best epoch`. */
const wordsOf = (name: string) =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();

/** Of a setting at least so large a share of the runs has a value that comes back at another size. */
const COMES_BACK = 0.5;

/** What one column of a table says of its runs. The lists run in parallel, a run an entry. */
export function columnRole({ name, values, configurations, sizes, seeds }: ColumnQuestion): ColumnRole {
  if (new Set(values).size <= 1) return 'constant';
  const sizesOf = gather(values, sizes);
  const valuesOf = gather(configurations, values);
  if ([...valuesOf.values()].every((own) => own.size === 1)) return 'follows';
  const words = wordsOf(name);
  if (LABEL.test(words)) return 'outcome';
  if (MEASURED.test(words) && values.every((value) => value === '' || Number.isFinite(Number(value))))
    return 'outcome';
  if (isRenaming(values, seeds)) return 'seed';
  const back = values.filter((value) => sizesOf.get(value)!.size > 1).length;
  // with one size alone nothing can come back: a value that several runs share will do
  if (new Set(sizes).size === 1) return new Set(values).size <= values.length / 2 ? 'setting' : 'distinct';
  return back >= COMES_BACK * values.length ? 'setting' : 'distinct';
}

/** Columns that part the runs, and those that do so in the same way, or hardly at all. */
export interface SettingColumns {
  /** The least number of settings that tells all runs apart that differ in one. */
  settings: string[];
  /** Settings whose values go with those of the others. */
  alike: string[];
  /** See `ColumnRole`. */
  distinct: string[];
}

/**
 * The settings among columns, those of few values first: what follows from the settings found already parts nothing more.
 * @param columns name and values of each, in parallel to the other lists.
 */
export function settingColumns(
  columns: readonly { column: string; name: string; values: readonly string[] }[],
  known: Omit<ColumnQuestion, 'name' | 'values'>,
): SettingColumns {
  const found: SettingColumns = { settings: [], alike: [], distinct: [] };
  let { configurations } = known;
  const count = (values: readonly string[]) => new Set(values).size;
  for (const { column, name, values } of [...columns].sort((a, b) => count(a.values) - count(b.values))) {
    const role = columnRole({ ...known, name, values, configurations });
    if (role === 'distinct') found.distinct.push(column);
    else if (role === 'follows' && columnRole({ ...known, name, values }) === 'setting')
      found.alike.push(column);
    else if (role === 'setting') {
      found.settings.push(column);
      configurations = configurations.map((text, i) => `${text}\n${JSON.stringify(values[i])}`);
    }
  }
  return found;
}

/**
 * Whether a column only writes the size anew, as a model named after its layers and dim does: every size has a value of its
 * own, and every value one size. Two sizes are too few to tell.
 */
export function namesTheSize(values: readonly string[], sizes: readonly string[]): boolean {
  return new Set(sizes).size > 2 && isRenaming(values, sizes);
}

function isRenaming(a: readonly string[], b: readonly string[]): boolean {
  if (new Set(b).size < 2) return false;
  const one = (sets: Map<string, Set<string>>) => [...sets.values()].every((own) => own.size === 1);
  return one(gather(a, b)) && one(gather(b, a));
}

/** For each key the different values that go with it. */
function gather(keys: readonly string[], values: readonly string[]): Map<string, Set<string>> {
  const sets = new Map<string, Set<string>>();
  keys.forEach((key, i) => {
    const set = sets.get(key) ?? new Set<string>();
    sets.set(key, set.add(values[i]!));
  });
  return sets;
}
