/** Reads a sweep file: text in, settings out, every mistake with its line, column and what was probably meant. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { fileError, UserError } from '../../util/errors.js';
import { nearest } from '../../util/nearest.js';
import { LAUNCHER_NAMES, launcherKind } from '../launch/launchers.js';
import { AXIS_NAMES, type AxisName, axisFields, modelFields, TUNED_NAMES, trainingFields } from './axes.js';
import { type SweepFile, sweepSchema } from './schema.js';
import { type Path, type Problem, parseYaml, type YamlSource } from './source.js';

/** A sweep file that passed every check, still as written: nothing filled in. */
export interface SweepSource {
  /** The file's path as given, for messages. */
  file: string;
  /** The file's content, kept with the results. */
  text: string;
  name: string;
  settings: SweepFile;
  /** `file:line:column` of the value at a path such as `['model', 'dim']`. */
  placeOf(path: Path): string;
}

/**
 * Reads and checks a sweep file.
 * @throws UserError that lists every mistake as `file:line:column: message`.
 */
export function readSweepFile(file: string): SweepSource {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw fileError(error, file, 'read this sweep file');
  }
  const { source, problems } = checkSweepText(text, file);
  if (!source) throw problemsError(file, problems);
  return source;
}

/** Checks the text of a sweep file; `source` is there when `problems` is empty. */
export function checkSweepText(text: string, file: string): { source?: SweepSource; problems: Problem[] } {
  const yaml = parseYaml(text);
  if (yaml.problems.length > 0) return { problems: yaml.problems };
  const parsed = sweepSchema.safeParse(yaml.value, { reportInput: false });
  const problems = parsed.success
    ? crossChecks(parsed.data, yaml)
    : withoutEchoes(parsed.error.issues).flatMap((issue) => explain(issue, [], yaml));
  if (problems.length > 0 || !parsed.success)
    return { problems: problems.sort((a, b) => a.line - b.line || a.column - b.column) };
  const placeOf = (path: Path) => {
    const { line, column } = yaml.placeOf(path);
    return `${file}:${line}:${column}`;
  };
  const name = parsed.data.name ?? safeName(basename(file).replace(/\.(ya?ml|json)$/i, ''));
  return { source: { file, text, name, settings: parsed.data, placeOf }, problems: [] };
}

/** One error for all problems of a file; a single one keeps its place and remedy. */
export function problemsError(file: string, problems: readonly Problem[]): UserError {
  const first = problems[0]!;
  const where = (p: Problem) => `${file}:${p.line}:${p.column}`;
  if (problems.length === 1)
    return new UserError(first.message, { place: where(first), remedy: first.suggestion });
  const lines = problems
    .slice(0, 10)
    .map((p) => `  ${where(p)}: ${p.message}${p.suggestion ? ` ${p.suggestion}` : ''}`);
  if (problems.length > 10) lines.push(`  ... and ${problems.length - 10} more`);
  return new UserError(`${problems.length} mistakes in this sweep file\n${lines.join('\n')}`, {
    place: file,
  });
}

function safeName(text: string): string {
  return (
    text
      .replaceAll(/[^a-z0-9._-]+/gi, '-')
      .replace(/^[^a-z0-9]+/i, '')
      .slice(0, 64) || 'sweep'
  );
}

type Issue = z.core.$ZodIssue;

/** An object whose keys are all unknown counts as empty too: that need not be said as well. */
function withoutEchoes(issues: Issue[]): Issue[] {
  const misspelt = new Set(issues.filter((i) => i.code === 'unrecognized_keys').map((i) => pathText(i.path)));
  return issues.filter((issue) => issue.code !== 'custom' || !misspelt.has(pathText(issue.path)));
}

/** A zod issue in the words of this file format. */
function explain(issue: Issue, above: Path, yaml: YamlSource): Problem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      ...yaml.placeOfKey([...path, key]),
      message: `unknown key ${JSON.stringify(key)} ${path.length === 0 ? 'at the top level' : `in ${pathText(path)}`}`,
      suggestion: suggestKey(key, path),
    }));
  if (issue.code === 'invalid_union') {
    // The branch that fits the value's shape speaks; the union's own words are for a value of no known shape.
    const fitting = issue.errors.find((branch) =>
      branch.some((inner) => inner.path.length > 0 || inner.code === 'unrecognized_keys'),
    );
    if (fitting) return fitting.flatMap((inner) => explain(inner, path, yaml));
  }
  const text = yaml.textOf(path);
  const missing = path.length > 0 && isMissing(path, yaml);
  const message = missing
    ? `${pathText(path)} is missing`
    : `${path.length === 0 ? 'this file' : pathText(path)}: ${issue.message}${text ? `, got ${text}` : ''}`;
  const values = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const near = nearest(text.replaceAll(/^["']|["']$/g, ''), values);
  return [
    {
      ...yaml.placeOf(path),
      message,
      suggestion: missing
        ? 'Name a data set, a file, or `data: {synthetic: {}}` for the embedded generator.'
        : near
          ? `Did you mean \`${near}\`?`
          : undefined,
    },
  ];
}

function isMissing(path: Path, yaml: YamlSource): boolean {
  let value = yaml.value;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return false;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value === undefined;
}

/** `grid.dim[2]` */
export function pathText(path: Path): string {
  return path
    .map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? String(step) : `.${String(step)}`))
    .join('');
}

const SECTIONS: Record<string, string[]> = {
  model: ['name', ...Object.keys(modelFields)],
  training: Object.keys(trainingFields),
  evaluation: ['ks', 'select', 'history'],
  budget: ['flops', 'hours'],
  limits: ['memory', 'time'],
  goal: ['params', 'flops', 'metric', 'tolerance', 'confidence', 'hours', 'round'],
  ...Object.fromEntries(
    LAUNCHER_NAMES.map((name) => [name, Object.keys(launcherKind(name).section?.fields ?? {})]),
  ),
};

function suggestKey(key: string, path: Path): string | undefined {
  const here = keysAt(path);
  if (path[0] === 'tune' && (AXIS_NAMES as string[]).includes(key))
    return `\`${key}\` changes what a configuration is or costs: put it under \`grid:\`, where each value has laws of its own. Tuned are ${TUNED_NAMES.join(', ')}.`;
  const near = nearest(key, here);
  if (near !== undefined) return `Did you mean \`${near}\`?`;
  const home = Object.entries(SECTIONS).find(([, keys]) => keys.includes(key))?.[0];
  if (home)
    return `\`${key}\` belongs under \`${home}:\`${(AXIS_NAMES as string[]).includes(key) ? ', or under `grid:` as a list of values' : ''}.`;
  return here.length > 0 && here.length <= 40 ? `Known here: ${here.join(', ')}.` : undefined;
}

function keysAt(path: Path): string[] {
  const [first, ...rest] = path;
  if (first === undefined) return Object.keys(sweepSchema.shape);
  if (first === 'slices' || rest.includes('slice')) return Object.keys(axisFields.slice.shape);
  if (first === 'tune') return TUNED_NAMES;
  if (['grid', 'zip', 'list', 'exclude'].includes(String(first))) return AXIS_NAMES;
  if (first === 'data') return rest.length === 0 ? ['synthetic'] : Object.keys(syntheticShape());
  return SECTIONS[String(first)] ?? [];
}

function syntheticShape(): Record<string, unknown> {
  const [, object] = sweepSchema.shape.data.options;
  return object.shape.synthetic.shape;
}

/** What one field alone cannot know. */
function crossChecks(settings: SweepFile, yaml: YamlSource): Problem[] {
  const problems: Problem[] = [];
  const say = (path: Path, message: string, suggestion?: string) =>
    problems.push({ ...yaml.placeOf(path), message, suggestion });
  const sayKey = (path: Path, message: string, suggestion?: string) =>
    problems.push({ ...yaml.placeOfKey(path), message, suggestion });

  const axesOf = (axes: object | undefined) => Object.keys(axes ?? {}) as AxisName[];
  const grid = axesOf(settings.grid);
  const zip = axesOf(settings.zip);
  const listed = new Set((settings.list ?? []).flatMap((entry) => axesOf(entry)));
  for (const axis of axesOf(settings.tune))
    if (grid.includes(axis) || zip.includes(axis) || listed.has(axis))
      sayKey(
        ['tune', axis],
        `the axis ${axis} is tuned and stands in ${grid.includes(axis) ? 'grid' : zip.includes(axis) ? 'zip' : 'list'} too`,
        'Keep one of them: under tune the best by validation stands for each configuration, under the others each value has a law.',
      );
  for (const axis of zip)
    if (grid.includes(axis))
      sayKey(['zip', axis], `the axis ${axis} stands in grid too`, 'Keep one of them.');
  (settings.list ?? []).forEach((entry, i) => {
    for (const axis of axesOf(entry))
      if (grid.includes(axis) || zip.includes(axis))
        sayKey(
          ['list', i, axis],
          `the axis ${axis} stands in ${grid.includes(axis) ? 'grid' : 'zip'} too`,
          'Keep one of them.',
        );
  });
  const varied = new Set<string>([...grid, ...zip, ...listed]);
  if (settings.slices && varied.has('slice'))
    say(['slices'], 'slices are given here and as the axis slice', 'Keep one of them.');
  if (settings.seeds && varied.has('seed'))
    say(['seeds'], 'seeds are given here and as the axis seed', 'Keep one of them.');

  const lengths = zip.map((axis) => (settings.zip![axis] as unknown[]).length);
  const odd = lengths.findIndex((length) => length !== lengths[0]);
  if (odd > 0)
    sayKey(
      ['zip', zip[odd]!],
      `axes of zip advance together: ${zip[0]} has ${lengths[0]} values, ${zip[odd]} has ${lengths[odd]}`,
      'Give them equally many values, or move one to grid.',
    );

  if (settings.goal && settings.halving)
    sayKey(
      ['halving'],
      'halving and a goal both decide which trials go on',
      'Keep one of them: a goal compares configurations by whole trainings.',
    );
  if (settings.goal && settings.budget?.hours !== undefined)
    sayKey(
      ['budget', 'hours'],
      'budget.hours and a goal both limit what is run',
      'Put the hours into the goal: `goal: {hours: 8}` counts wall hours of the whole sweep.',
    );

  const { ks, select } = settings.evaluation ?? {};
  if (select !== undefined && ks !== undefined && !ks.includes(Number(select.split('@')[1])))
    say(
      ['evaluation', 'select'],
      `evaluation.select: ${select} is not measured: ks is [${ks.join(', ')}]`,
      'Add its K to ks.',
    );
  return problems;
}
