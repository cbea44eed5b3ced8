/** A sweep file as text: every choice under the line that says why. */
import type { SliceSpec } from '../../data/slice.js';
import { formatCount, parseCount } from '../../util/format.js';
import { type Grid, sizeOf, WEIGHTS_AN_EVENT } from './grid.js';
import type { DataLook } from './look.js';
import { type Choice, patienceFor, RATE_DIM, type Recipe } from './recipe.js';

/** What the file is for and where it belongs. */
export interface Heading {
  /** The sweep's name. */
  name: string;
  /** The data set as the file names it. */
  data: string;
  /** The command that made it. */
  madeBy: string;
  /** The command that runs it. */
  run: string;
}

/** What the plan of the file comes to; known only when it has been planned. */
export interface Cost {
  /** A few lines for the head. */
  lines: string[];
  trials: number;
  /** Most wall seconds. */
  seconds: number;
}

/** What is to be decided, and how much time there is for it. */
export interface Aim {
  hours: number;
  params: Choice<number>;
}

const count = (value: number) => value.toLocaleString('en');

/** `50M`, without zeros that say nothing. */
const short = (value: number) => formatCount(value).replace(/\.0+(?=[a-z]|$)/i, '');
/** A count as people write it, where that is the same number. */
const written = (value: number) => (parseCount(short(value)) === value ? short(value) : String(value));

/** The whole file. @param workers where fewer than the cores are meant. */
export function sweepText(
  heading: Heading,
  look: DataLook,
  recipe: Recipe,
  grid: Grid,
  aim: Aim,
  cost?: Cost,
  workers?: Choice<number>,
): string {
  return [
    ...head(heading, look, aim, cost),
    ...named('name', heading.name),
    ...named('data', quoted(heading.data)),
    '',
    ...slices(grid, look),
    '',
    ...modelLines(recipe),
    '',
    ...trainingLines(recipe, grid),
    '',
    ...gridLines(look, recipe, grid, aim),
    ...tuneLines(grid),
    ...seedLines(grid, cost),
    ...excludeLines(grid),
    '',
    ...evaluationLines(recipe),
    '',
    ...(workers ? [`# ${workers.why}`, `workers: ${workers.value}`, ''] : []),
    ...goalLines(recipe, aim),
    '',
  ].join('\n');
}

const named = (key: string, value: string) => [`${key}: ${value}`];

/** A choice inside a section. */
const inside = (key: string, { value, why }: Choice<string | number | number[]>) => [
  `  # ${why}`,
  `  ${key}: ${Array.isArray(value) ? `[${value.join(', ')}]` : value}`,
];

/** Plain where YAML reads it back as the same text. */
const quoted = (text: string) => (/^[A-Za-z./][A-Za-z0-9._/-]*$/.test(text) ? text : JSON.stringify(text));

function head({ data, madeBy, run, name }: Heading, look: DataLook, { params }: Aim, cost?: Cost): string[] {
  const { users, items, interactions, evaluated, lengths } = look;
  return [
    `# Purpose: what to train on ${name}: the cheapest model of at most ${short(params.value)} parameters that is as good as the best.`,
    `# Data:    ${data}: ${count(users)} users (${count(evaluated)} evaluated), ${count(items)} items, ${count(interactions)} interactions;`,
    `#          half of the training histories have ${count(lengths.median)} events or fewer.`,
    ...(cost?.lines ?? []).map((line, i) => `# ${i === 0 ? 'Cost:   ' : '        '} ${line}`),
    `# Command: ${run}`,
    `# Made by: ${madeBy}`,
    '#          The reason of each choice stands above it. Change what you know better: what is finished is kept.',
  ];
}

function sliceText(slice: SliceSpec): string {
  return `{${Object.entries(slice)
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')}}`;
}

function slices({ slices }: Grid, { users, tokens }: DataLook): string[] {
  const byTime = slices.some(({ time }) => time !== undefined);
  const top = slices.at(-1)!;
  const least = slices[0]!;
  const held = (slice: SliceSpec) =>
    byTime
      ? `${count(Math.round((slice.time ?? 1) * tokens))} events`
      : `${count(Math.round(slice.users * users))} users`;
  const why =
    slices.length === 1
      ? `one amount of data: half of ${count(tokens)} training events would teach too little`
      : `what more data is worth: ${slices.length} amounts of it, ${held(least)} to ${held(top)}${byTime ? `, the earliest; a share of ${count(users)} users would be other data` : ''}`;
  const part =
    top.users < 1
      ? [
          `# all ${count(users)} users would take longer than there is time; predict --data says what they would give`,
        ]
      : [];
  return [`# ${why}`, ...part, 'slices:', ...slices.map((slice) => `  - ${sliceText(slice)}`)];
}

function modelLines({ dState, maxLength, dropout }: Recipe): string[] {
  return [
    'model:',
    '  # reads the order alone: the time between events (tim4rec) gained nothing on MovieLens 100K',
    '  name: mamba4rec',
    ...inside('dState', dState),
    ...inside('maxLength', maxLength),
    ...inside('dropout', dropout),
  ];
}

/** A rate that follows the width, in one line. */
const rateText = (base: number) => `{base: ${base}, dim: ${RATE_DIM}}`;

function trainingLines({ rows, negatives, maxLength }: Recipe, grid: Grid): string[] {
  const { epochs, rate, rates, tokens, steps } = grid;
  const events = rows * maxLength.value;
  return [
    'training:',
    ...inside('epochs', {
      value: epochs,
      why: `at most ${count(epochs * steps)} steps; most trials end before, since patience stops them`,
    }),
    ...inside('patience', {
      value: patienceFor(epochs),
      why: 'a trial ends after a fifth of its epochs without a better validation',
    }),
    ...inside('rows', {
      value: rows,
      why: `${count(events)} events a step, ${count(steps)} steps an epoch over the ${count(tokens)} training events of the largest slice`,
    }),
    ...(negatives ? inside('negatives', negatives) : []),
    ...(rates.length > 1 ? [] : inside('learningRate', { value: rateText(rate.value), why: rate.why })),
  ];
}

function gridLines({ items, tokens }: DataLook, recipe: Recipe, grid: Grid, { params }: Aim): string[] {
  const { dims, layers, excluded } = grid;
  const sizes = dims.flatMap((dim) =>
    layers
      .filter((depth) => excluded?.dim !== dim || !excluded.layers.includes(depth))
      .map((depth) => ({ dim, ...sizeOf(recipe, items, dim, depth) })),
  );
  const totals = sizes.map(({ total }) => total).sort((a, b) => a - b);
  const largest = sizes.reduce((a, b) => (b.nonEmbedding > a.nonEmbedding ? b : a));
  const share = largest.nonEmbedding / tokens;
  return [
    'grid:',
    `  # from ${formatCount(totals[0]!)} to ${formatCount(totals.at(-1)!)} parameters, of ${short(params.value)} at most`,
    `  layers: [${layers.join(', ')}]`,
    `  # the item table takes ${formatCount((items + 1) * dims.at(-1)!)} at dim ${dims.at(-1)}; the rest is up to ${share.toPrecision(2)} weights an event (${WEIGHTS_AN_EVENT} at most: 3 were enough on MovieLens 100K)`,
    `  dim: [${dims.join(', ')}]`,
  ];
}

function tuneLines({ rate, rates }: Grid): string[] {
  if (rates.length < 2) return [];
  return [
    '',
    'tune:',
    `  # ${rate.value}, its half and its double; ${rate.why}`,
    '  learningRate:',
    ...rates.map((base) => `    - ${rateText(base)}`),
  ];
}

function seedLines({ seeds, slices }: Grid, cost?: Cost): string[] {
  const largest = slices.length > 1 ? ' on the largest slice' : '';
  const why =
    seeds.length === 1
      ? `one run of each of ${cost?.trials ?? ''}: there is no time for a second one${largest}`
      : `${seeds.length} runs of each${largest} show what is noise and what is the size`;
  return ['', `# ${why}`, `seeds: [${seeds.join(', ')}]`];
}

function excludeLines({ excluded, seeds, slices }: Grid): string[] {
  const patterns: string[] = [];
  if (excluded)
    patterns.push(
      `  # of dim ${excluded.dim} only as many layers as the parameters and the data hold`,
      `  - {dim: ${excluded.dim}, layers: [${excluded.layers.join(', ')}]}`,
    );
  if (seeds.length > 1 && slices.length > 1)
    patterns.push(
      '  # what is to be trained is decided on the largest slice: of the others one run of each is enough',
      `  - {slice: [${slices.slice(0, -1).map(sliceText).join(', ')}], seed: [${seeds.slice(1).join(', ')}]}`,
    );
  return patterns.length > 0 ? ['', '# what of all combinations is not run', 'exclude:', ...patterns] : [];
}

function evaluationLines({ ks, metric, history, users }: Recipe): string[] {
  return [
    'evaluation:',
    ...inside('select', metric),
    ...(ks ? inside('ks', ks) : []),
    ...inside('history', history),
    ...(users ? inside('users', users) : []),
  ];
}

function goalLines({ metric, tolerance }: Recipe, { hours, params }: Aim): string[] {
  return [
    '# runs are made in rounds, those first that tell most for their cost, and end as soon as the answer is known',
    'goal:',
    ...inside('params', { value: written(params.value), why: params.why }),
    `  metric: ${metric.value}`,
    ...inside('tolerance', tolerance),
    '  # of this machine; ends before where the answer is known',
    `  hours: ${Number(hours.toPrecision(4))}`,
  ];
}
