/** Text that fits a terminal: tables, and sentences broken between words. */

/** Characters that a line has room for; no end where the stream is no terminal, or one that does not know its width. */
export function roomOn(stream: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): number {
  return stream.isTTY && stream.columns > 0 ? stream.columns : Number.POSITIVE_INFINITY;
}

export interface TableRoom {
  /** Characters a line; those of the terminal on stdout where left out. */
  room?: number;
  /** Names of columns that may go where there is no room: those first that say the same in every row, then in this order. */
  spare?: readonly string[];
}

/** The last column is broken into lines of no less than so many characters before a column goes. */
const NARROWEST = 16;

/**
 * A plain table: a header, a rule, rows; numbers (strings that look like one) to the right. Where it is too wide, text in the last
 * column is broken into lines, then spare columns go, and a last line says which.
 */
export function formatTable(
  header: string[],
  rows: string[][],
  { room = roomOn(process.stdout), spare = [] }: TableRoom = {},
): string {
  const same = (name: string) => new Set(rows.map((row) => row[header.lastIndexOf(name)])).size === 1;
  const several = rows.length > 1;
  const order = several ? [...spare].sort((a, b) => Number(same(b)) - Number(same(a))) : [...spare];
  let shown = header.map((_, index) => index);
  const gone: string[] = [];
  for (;;) {
    const lines = layOut(
      shown.map((index) => header[index]!),
      rows.map((row) => shown.map((index) => row[index] ?? '')),
      room,
    );
    const name = order.shift();
    if (name === undefined || lines.every((line) => line.length <= room)) {
      if (gone.length > 0) lines.push(wrap(`No room here for: ${gone.join(', ')}.`, room));
      return lines.join('\n');
    }
    const at = shown.findLast((index) => header[index] === name);
    if (at === undefined) continue;
    gone.push(several && same(name) ? `${name} (${rows[0]![at]})` : name);
    shown = shown.filter((index) => index !== at);
  }
}

/** A table on its side, for one that no terminal is wide enough for: a block of lines a row, a name and a value a line. */
export function formatRecords(header: string[], rows: string[][]): string {
  const width = Math.max(...header.map((name) => name.length));
  return rows
    .map((row) => header.map((name, c) => `${name.padEnd(width)}  ${row[c] ?? ''}`.trimEnd()).join('\n'))
    .join('\n\n');
}

function layOut(header: string[], rows: string[][], room: number): string[] {
  const widths = header.map((name, c) => Math.max(name.length, ...rows.map((row) => row[c]!.length)));
  const numeric = header.map((_, c) =>
    rows.every((row) => /^[-+]?[\d.,]*[a-zA-Z%]?$|^-?$/.test(row[c]!.trim())),
  );
  const last = header.length - 1;
  const before = widths.slice(0, last).reduce((sum, width) => sum + width + 2, 0);
  const left = room - before;
  if (!numeric[last] && widths[last]! > left && left >= NARROWEST) widths[last] = left;
  const line = (cells: string[]) =>
    cells
      .map((cell, c) => (numeric[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd();
  const lines = (cells: string[]) => {
    const [first, ...more] = wrap(cells[last]!, widths[last]!).split('\n');
    return [line([...cells.slice(0, last), first!]), ...more.map((text) => ' '.repeat(before) + text)];
  };
  return [line(header), widths.map((w) => '-'.repeat(w)).join('  '), ...rows.flatMap(lines)];
}

/** Breaks lines between words; commands in backquotes and lines that look like a table's stay whole. */
export function wrap(text: string, room: number): string {
  return text
    .split('\n')
    .map((line) => (line.length <= room || /\S {2,}\S/.test(line) ? line : wrapLine(line, room)))
    .join('\n');
}

function wrapLine(line: string, room: number): string {
  const indent = /^ */.exec(line)![0];
  const lines: string[] = [];
  let current = '';
  // A command stays in one piece, to be copied.
  for (const word of line.match(/[^\s`]*`[^`]*`\S*|\S+/g) ?? []) {
    if (current && indent.length + current.length + 1 + word.length > room) {
      lines.push(indent + current);
      current = word;
    } else current = current ? `${current} ${word}` : word;
  }
  return [...lines, indent + current].join('\n');
}
