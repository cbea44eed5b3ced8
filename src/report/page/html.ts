/** HTML as a value: what is not made by `html` is text and is escaped, so that no name or message can become markup. */

const SAFE = Symbol('html');

export interface Html {
  [SAFE]: string;
}

type Value = Html | string | number | undefined | false | Value[];

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for element content and quoted attributes. Control characters that HTML forbids are replaced. */
export function escapeHtml(text: string): string {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!)
    .replace(/(\d) %/g, '$1\u00a0%')
    .replace(/[\p{Cc}\p{Cs}]/gu, (character) => ('\t\n\r'.includes(character) ? character : '\ufffd'));
}

function render(value: Value): string {
  if (value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map(render).join('');
  if (typeof value === 'object') return value[SAFE];
  return escapeHtml(String(value));
}

/** A template whose values are escaped, save those that are themselves Html. */
export function html(strings: TemplateStringsArray, ...values: Value[]): Html {
  return { [SAFE]: strings.reduce((text, part, i) => text + render(values[i - 1]) + part) };
}

/** Markup from a source of ours: an SVG that Vega wrote, a style sheet, a script. */
export function trusted(markup: string): Html {
  return { [SAFE]: markup };
}

/** JSON inside a script element: no character sequence can end the element. */
export function jsonScript(
  id: string,
  value: unknown,
  replacer?: (key: string, value: unknown) => unknown,
): Html {
  const text = JSON.stringify(value, replacer)
    .replace(/</g, '\\u003c')
    .replace(/\u2028|\u2029/g, (c) => (c === '\u2028' ? '\\u2028' : '\\u2029'));
  return html`<script type="application/json" id="${id}">${trusted(text)}</script>`;
}

export function toText(markup: Html): string {
  return markup[SAFE];
}

/** Rows beyond which a table is cut: a page of thousands of rows serves nobody. */
export const MAX_ROWS = 400;

/** Characters beyond which a cell is a text, which may wrap but not to a column of single words. */
const LONG = 40;

/** A table in a box of its own that scrolls sideways; numbers stand to the right. The first column heads each row. */
export function dataTable(caption: string, columns: string[], rows: (string | number)[][]): Html {
  const shown = rows.slice(0, MAX_ROWS);
  const isNumber = (cell: unknown) =>
    /^([-+−]?\d[\d.,]*(e[-+]?\d+)?([kMGTP]|\s?(%|[KMGT]?i?B|s|min|h).*)?)?$/.test(String(cell ?? ''));
  const numeric = columns.map(
    (name, c) =>
      name !== 'trial' && shown.some((row) => row[c] !== '') && shown.every((row) => isNumber(row[c])),
  );
  const kind = (c: number) => (numeric[c] ? html` class="number"` : '');
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}${rows.length > shown.length ? ` (the first ${shown.length} of ${rows.length} rows)` : ''}</caption>
<thead><tr>${columns.map((name, c) => html`<th scope="col"${kind(c)}>${name}</th>`)}</tr></thead>
<tbody>${shown.map(
    (
      row,
    ) => html`<tr>${row.map((cell, c) => (c === 0 ? html`<th scope="row"${kind(c)}>${cell}</th>` : html`<td${String(cell).length > LONG ? html` class="long"` : kind(c)}>${cell}</td>`))}</tr>
`,
  )}</tbody></table></div>`;
}
