/** A YAML text whose every value knows its line and column, so that a mistake can be pointed at. */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';

export interface Place {
  line: number;
  column: number;
}

/** One mistake in a file: where, what, and what was probably meant. */
export interface Problem extends Place {
  message: string;
  suggestion?: string;
}

export type Path = readonly PropertyKey[];

export interface YamlSource {
  value: unknown;
  problems: Problem[];
  /** Where the value at `path` (or the nearest part of it that exists) begins. */
  placeOf(path: Path): Place;
  /** Where the key `path[last]` begins. */
  placeOfKey(path: Path): Place;
  /** The value's text as it stands in the file, shortened. */
  textOf(path: Path): string;
}

const MOST_CHARACTERS = 1_000_000;

/** Parses one YAML 1.2 document; syntax errors and duplicate keys become problems, never exceptions. */
export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refused = (message: string): YamlSource => ({
    value: undefined,
    problems: [{ line: 1, column: 1, message }],
    placeOf: () => ({ line: 1, column: 1 }),
    placeOfKey: () => ({ line: 1, column: 1 }),
    textOf: () => '',
  });
  if (text.includes('\0') || text.includes('\uFFFD')) return refused('this is not a text file (UTF-8)');
  if (text.length > MOST_CHARACTERS) return refused('this file is too large for a sweep file (1 MB at most)');

  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const problems: Problem[] = [...document.errors, ...document.warnings].map((error) => ({
    ...at(error.pos[0]),
    message:
      error.code === 'DUPLICATE_KEY'
        ? `the key ${quote(wordAt(text, error.pos[0]))} stands here for the second time`
        : `not valid YAML: ${error.message.replace(/\s+/g, ' ')}`,
    suggestion: error.code === 'TAB_AS_INDENT' ? 'Indent with spaces.' : undefined,
  }));
  if (problems.length === 0 && document.contents === null)
    problems.push({ line: 1, column: 1, message: 'the file is empty' });

  const resolve = (node: unknown): Node | undefined => {
    const found = isAlias(node) ? node.resolve(document) : node;
    return isNode(found) ? found : undefined;
  };
  const pairAt = (map: Node | undefined, key: PropertyKey) =>
    isMap(map)
      ? map.items.find((pair) => (isScalar(pair.key) ? String(pair.key.value) : '') === String(key))
      : undefined;
  const walk = (path: Path): { node: Node | undefined; key: Node | undefined; whole: boolean } => {
    let node = resolve(document.contents);
    let key: Node | undefined;
    for (const step of path) {
      const pair = pairAt(node, step);
      const next = pair ? pair.value : isSeq(node) ? node.items[Number(step)] : undefined;
      if (pair && isNode(pair.key)) key = pair.key;
      // An alias is pointed at where it is used, and followed for what lies below it.
      const child = resolve(next);
      if (!child) return { node: isNode(next) ? next : node, key, whole: pair !== undefined };
      node = child;
    }
    return { node, key, whole: true };
  };
  const start = (node: Node | undefined) => at(node?.range?.[0] ?? 0);

  let value: unknown;
  if (problems.length === 0)
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problems.push({ line: 1, column: 1, message: `not usable YAML: ${(error as Error).message}` });
    }
  return {
    value,
    problems,
    placeOf: (path) => start(walk(path).node),
    placeOfKey: (path) => {
      const map = walk(path.slice(0, -1)).node;
      const pair = pairAt(map, path[path.length - 1]!);
      return start(pair && isNode(pair.key) ? pair.key : map);
    },
    textOf: (path) => {
      const range = walk(path).node?.range;
      return range ? shorten(text.slice(range[0], range[1])) : '';
    },
  };
}

const quote = (word: string) => JSON.stringify(word);

function wordAt(text: string, offset: number): string {
  return /^[^\s:,{}[\]]*/.exec(text.slice(offset, offset + 80))![0];
}

function shorten(text: string): string {
  const line = text.trim().split('\n')[0]!;
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}
