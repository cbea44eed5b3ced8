/**
 * Writes docs/api.md: every export of the library with its docstring and declaration, in the order and under the headings of
 * src/index.ts. It reads the declarations that the compiler wrote, so build first: `npm run build && npm run docs`. Written out because TypeDoc 0.28
 * asks for TypeScript 6 at most and API Extractor 7 brings its own; this builds with 7.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { argv } from 'node:process';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

const HEAD = `# Library reference

\`\`\`ts
import { fitLaw, predict, readTable, approximateEntropy } from 'perflaw';
\`\`\`

Made from the docstrings by \`npm run docs\`. Importing the library is cheap: what needs tfjs, vega or DuckDB loads it when it is
called. Functions throw a \`UserError\` for what their caller can mend.
`;

/** The page's text. */
export function makeApi() {
  const sections = [];
  for (const { heading, names, file } of readIndex()) {
    const entries = names.map((name) => entry(name, file));
    const last = sections.at(-1);
    if (last?.heading === heading) last.entries.push(...entries);
    else sections.push({ heading, entries });
  }
  const taken = new Map();
  // A heading's anchor is its text in small letters; later ones of the same anchor get a number.
  const link = ({ name }) => {
    const anchor = name.toLowerCase();
    const count = taken.get(anchor) ?? 0;
    taken.set(anchor, count + 1);
    return `[\`${name}\`](#${anchor}${count ? `-${count}` : ''})`;
  };
  const contents = sections.map(({ heading, entries }) => `- ${heading}: ${entries.map(link).join(', ')}`);
  const body = sections.map(
    ({ heading, entries }) => `## ${heading}\n\n${entries.map((one) => one.text).join('\n')}`,
  );
  return `${HEAD}\n${contents.join('\n')}\n\n${body.join('\n')}`;
}

/** The exports of src/index.ts: `{heading, names, file}` a statement; a comment line alone opens a section. */
function readIndex() {
  const text = readFileSync(join(root, 'src/index.ts'), 'utf8');
  const found = [];
  let heading = 'Library';
  const statement =
    /^\/\/ ([A-Z][^\n]*)$|^export (?:type )?\{([^}]*)\} from '\.\/([^']+)\.js';|^export async function (\w+)/gm;
  for (const [, title, list, file, own] of text.matchAll(statement)) {
    if (title) heading = title.replace(/\.$/, '');
    else if (own) found.push({ heading, names: [own], file: 'index' });
    else {
      const names = list
        .split(',')
        .map((name) => name.trim().replace(/^type /, ''))
        .filter(Boolean);
      found.push({ heading, names, file });
    }
  }
  return found;
}

function entry(name, file) {
  const text = readFileSync(join(root, 'dist', `${file}.d.ts`), 'utf8');
  const start = new RegExp(
    `^export (?:declare )?(?:async )?(?:abstract )?(?:function|const|class|interface|type|enum) ${name}\\b`,
    'm',
  ).exec(text);
  if (!start) {
    // Declared elsewhere and passed on: follow it.
    const passed = new RegExp(`(?:export|import) (?:type )?\\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)\\.js'`).exec(text);
    if (!passed) throw new Error(`${name} is exported, but ${file}.d.ts does not declare it`);
    return entry(name, join(dirname(file), passed[1]));
  }
  const declaration = cutDeclaration(text.slice(start.index))
    .replace(/^export (declare )?/, '')
    .replace(/^ {4}private .*\n/gm, '');
  const before = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*$/.exec(text.slice(0, start.index));
  const words = before ? docstring(before[1]) : '';
  return { name, text: `### ${name}\n\n${words}\`\`\`ts\n${declaration}\n\`\`\`\n` };
}

/** Up to the `;` or `}` that ends the declaration; brackets inside count. */
function cutDeclaration(text) {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (text.startsWith('/*', at)) at = text.indexOf('*/', at) + 1;
    else if ("'\"`".includes(character)) at = text.indexOf(character, at + 1);
    else if ('{(['.includes(character)) depth++;
    else if ('})]'.includes(character)) depth--;
    if (depth > 0) continue;
    if (character === ';' || (character === '}' && /^\s*(?:export|declare|\/\*\*|import|$)/.test(text.slice(at + 1))))
      return text.slice(0, at + (character === ';' ? 0 : 1));
  }
  return text;
}

/** A docstring as Markdown: tags become a list. */
function docstring(comment) {
  const text = comment.replace(/^[ \t]*\* ?/gm, '').trim();
  const [words, ...tags] = text.split(/^@/m);
  const items = tags.map((tag) => {
    const [, kind, rest] = /^(\w+)\s*([\s\S]*)$/.exec(tag);
    const line = rest.trim().replace(/\s*\n\s*/g, ' ');
    if (kind === 'param') return `- ${line.replace(/^(\w+)/, '`$1`:')}`;
    return `- *${kind}* ${line}`;
  });
  const paragraphs = [words.trim(), items.join('\n')].filter(Boolean);
  return paragraphs.length ? `${paragraphs.join('\n\n')}\n\n` : '';
}

if (argv[1] === fileURLToPath(import.meta.url)) writeFileSync(join(root, 'docs/api.md'), makeApi());
