/**
 * What of a run is a setting, so that runs that differ in it are no repeats of one another. Asked of the columns of a table
 * whose names say nothing: the answer follows from how the values lie over the configurations.
 */

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
