/** One self-contained HTML page: it opens from disk, needs no network and, but for the pointer's answers, no script. */
import { createHash } from 'node:crypto';
import { splitLabel } from '../../data/split.js';
import { formatBytes, formatCount, formatDuration } from '../../util/format.js';
import {
  type Figure,
  type FigureOrAbsence,
  isDrawn,
  NARROW_WIDTH,
  type PlacedFigure,
  WIDE_WIDTH,
} from '../drawing/figure.js';
import { type DrawnFigure, drawFigure, vegaBundle } from '../drawing/render.js';
import { PAGE } from '../drawing/theme.js';
import { metricTitle, type ReportInput } from '../view/view.js';
import { count } from '../words/words.js';
import { answerCards, shortfall } from './answer.js';
import { dataTable, type Html, html, jsonScript, toText, trusted } from './html.js';
import { lawSection } from './law-section.js';
import { lossSection } from './loss-section.js';
import { SCRIPT } from './script.js';
import { STYLE } from './style.js';
import { failedTable, trialsTable } from './trial-tables.js';

export interface PageOptions {
  /** Carry Vega in the page so that charts answer the pointer; without it they are still pictures. */
  interactive?: boolean;
}

/** @returns the page's whole text. */
export async function renderPage(
  input: ReportInput,
  figures: PlacedFigure[],
  { interactive = true }: PageOptions = {},
): Promise<string> {
  const drawn: Html[] = [];
  for (const figure of figures) drawn.push(await figureBlock(figure, interactive));
  const scripts = interactive
    ? [vegaBundle(), SCRIPT].map((text) => text.replace(/<\/(script)/gi, '<\\/$1'))
    : [];
  const hashes = scripts.map((text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`);
  // No script but these two may run, none may compile code, and nothing may be fetched.
  const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src ${hashes.length ? hashes.join(' ') : "'none'"}; base-uri 'none'; form-action 'none'`;
  const problem = shortfall(input);
  const pick = (section: PlacedFigure['section']) => drawn.filter((_, i) => figures[i]!.section === section);
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="generator" content="perflaw ${input.made.perflaw}">
<title>${input.title}: perflaw report</title>
<style>${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#answer">Skip to the answer</a>
<header>
<h1>${input.title}: which model to train</h1>
${input.description ? html`<p>${input.description}</p>` : ''}
<p class="quiet">${count(input.done.length, 'run')} on ${count(input.slices.length, 'data slice')}. Metric: ${metricTitle(input.metric)}.</p>
<nav aria-label="On this page"><ul>
<li><a href="#answer">Answer</a></li>${input.path ? html`<li><a href="#goal">Path</a></li>` : ''}<li><a href="#law">Law</a></li><li><a href="#training">Training and data</a></li><li><a href="#trials">Trials</a></li><li><a href="#made">How it was made</a></li>
</ul></nav>
</header>
<main>
<section id="answer" aria-labelledby="answer-title">
<h2 id="answer-title">The answer</h2>
${problem ? html`<div class="warn" role="note"><p>${problem} ${input.failed.length ? 'Failed trials are listed below and are in no figure.' : ''}</p></div>` : ''}
<dl class="answer">
${answerCards(input).map(
  (
    card,
  ) => html`<div><dt>${card.question}</dt><dd><p class="headline">${card.headline}</p><p>${card.words}</p></dd></div>
`,
)}</dl>
</section>
${
  input.path
    ? html`<section id="goal" aria-labelledby="goal-title">
<h2 id="goal-title">The path to it</h2>
${pick('goal')}
</section>
`
    : ''
}<section id="law" aria-labelledby="law-title">
<h2 id="law-title">The law</h2>
${input.groups.length ? pick('law') : html`<p>No trial has finished, so there is no law.</p>`}
${input.groups.map((group) => lawSection(group, input.metric))}
${lossSection(input)}
</section>
<section id="training" aria-labelledby="training-title">
<h2 id="training-title">Training and data</h2>
${pick('training')}
</section>
<section id="trials" aria-labelledby="trials-title">
<h2 id="trials-title">Trials</h2>
${trialsTable(input)}
${failedTable(input)}
</section>
<section id="made" aria-labelledby="made-title">
<h2 id="made-title">How it was made</h2>
${made(input)}
</section>
</main>
<footer><p class="quiet">Written by perflaw ${input.made.perflaw} on <time datetime="${input.made.at}">${input.made.at.slice(0, 16).replace('T', ' ')} UTC</time>. This file needs no network.</p></footer>
${scripts.map(
  (text) => html`<script>${trusted(text)}</script>
`,
)}</body>
</html>
`;
  return toText(page);
}

async function figureBlock(figure: FigureOrAbsence, interactive: boolean): Promise<Html> {
  const titleId = `${figure.id}-title`;
  if (!isDrawn(figure))
    return html`<figure id="${figure.id}" aria-labelledby="${titleId}"><h3 id="${titleId}">${figure.title}</h3><p class="absent">${figure.absent}</p></figure>
`;
  const views: [string, DrawnFigure][] = [
    ['wide', await drawFigure(figure, { width: WIDE_WIDTH, theme: PAGE, titled: false })],
    ['narrow', await drawFigure(figure, { width: NARROW_WIDTH, theme: PAGE, titled: false })],
  ];
  const drawings = views.map(
    ([size, view]) =>
      html`<div class="drawing ${size}"${interactive ? html` data-spec="${figure.id}-${size}"` : ''}>${inlineSvg(view.svg, `${figure.id}-${size}`)}</div>`,
  );
  return html`<figure id="${figure.id}" aria-labelledby="${titleId}">
<h3 id="${titleId}">${figure.title}</h3>
<p>${figure.sentence}</p>
<div class="chart" role="img" aria-label="${chartLabel(figure)}">${drawings}</div>
<details><summary>The numbers behind this figure</summary>${dataTable(figure.title, figure.table.columns, figure.table.rows)}</details>
${interactive ? views.map(([size, view]) => jsonScript(`${figure.id}-${size}`, view.spec, sixDigits)) : ''}
</figure>
`;
}

function chartLabel(figure: Figure): string {
  return `Chart: ${figure.title}. ${figure.sentence}`;
}

/** No pixel and no tooltip shows more; a page of many points is a third smaller. */
function sixDigits(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value;
}

/** SVG as part of a page: without the parts only a file needs, and with identifiers that no other SVG of the page has. */
function inlineSvg(svg: string, prefix: string): Html {
  return trusted(
    svg
      .replace(
        /^<svg [^>]*?(width="[\d.]+" height="[\d.]+" viewBox="[^"]*")[^>]*>/,
        '<svg $1 aria-hidden="true" focusable="false">',
      )
      .replace(/ (?:d|transform|x|y|x1|x2|y1|y2|width|height)="[^"]*"/g, (attribute) =>
        attribute.replace(/(\.\d\d)\d+(?!\d*e)/g, '$1'),
      )
      .replace(/\bid="([A-Za-z_-]+\d+)"/g, `id="${prefix}-$1"`)
      .replace(/url\(#([A-Za-z_-]+\d+)\)/g, `url(#${prefix}-$1)`),
  );
}

function made(input: ReportInput): Html {
  const records = [...input.done, ...input.failed];
  const values = <T>(of: (record: (typeof records)[number]) => T) => [...new Set(records.map(of))].join(', ');
  const seconds = input.done.reduce(
    (sum, { result }) => sum + result.seconds.training + result.seconds.evaluation,
    0,
  );
  const flops = input.done.reduce((sum, { result }) => sum + result.flops.total, 0);
  const memory = Math.max(0, ...input.done.map(({ result }) => result.peakMemoryBytes));
  const first = records[0];
  const facts: [string, Html | string][] = [
    ['This report', html`<code>${input.made.command}</code>`],
    ['Records', html`<code>${input.made.folder}</code>`],
    ['Metric', `${metricTitle(input.metric)}; full ranking over all items, ties broken against the model`],
    ['Held out', values((record) => splitLabel(record.config.split))],
    ['Data', values((record) => `${record.config.data.name} (${record.config.data.hash.slice(0, 10)})`)],
    ['Models', values((record) => record.config.model.name)],
    ['Backend', values((record) => record.config.backend)],
    ['Machines', values((record) => `${record.environment.host} (${record.environment.platform})`)],
    [
      'Versions',
      values((record) => `perflaw ${record.environment.perflaw}, Node ${record.environment.node}`),
    ],
    [
      'Cost',
      `${formatDuration(seconds)} of training and evaluation, ${formatCount(flops)} training FLOPs, at most ${formatBytes(memory)} a trial`,
    ],
  ];
  return html`<dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
${first ? html`<details><summary>Configuration of the first trial</summary><pre class="equation">${JSON.stringify(first.config, null, 2)}</pre></details>` : ''}`;
}
