/** The separator of a text table, and a line split by it. */

const SEPARATORS = ['\t', ',', ';', '|'];

/**
 * `::` of MovieLens, else the separator that gives nearly every line the same number of fields, the most where several do
 * (but a user before a list is two fields); where none does, the one that occurs most in the first line; a space only where
 * there is no other.
 */
export function guessDelimiter(lines: string[]): string {
  const first = lines[0]!;
  if (first.includes('::')) return '::';
  const sample = lines.slice(0, 200);
  let best = ' ';
  let most = 1;
  let evenness = 0;
  const listed = [...SEPARATORS, ' '].find((candidate) => isUserAndList(sample, candidate));
  if (listed !== undefined) return listed;
  for (const candidate of SEPARATORS) {
    const counts = sample.map((line) => splitLine(line, candidate, '"').length);
    const fields = counts[0]!;
    const even = counts.filter((count) => count === fields).length >= 0.95 * counts.length ? 1 : 0;
    if (fields > 1 && (even > evenness || (even === evenness && fields > most))) {
      most = fields;
      best = candidate;
      evenness = even;
    }
  }
  return best === ' ' && !first.trim().includes(' ') ? ',' : best;
}

/** Whether every line is a user, this separator, and a list between separators of another kind. */
function isUserAndList(lines: string[], separator: string): boolean {
  const others = SEPARATORS.filter((other) => other !== separator);
  return (
    lines.length > 1 &&
    lines.slice(1).every((line) => {
      const fields = splitLine(line.trim(), separator, '"');
      const [user, list] = fields as [string, string];
      const holds = (field: string) => others.some((other) => field.includes(other));
      return fields.length === 2 && holds(list) && !holds(user) && (separator !== ' ' || !/\s/.test(list));
    })
  );
}

/** Fields of one line; doubled quotes inside a quoted field are one quote. */
export function splitLine(line: string, delimiter: string, quote: string): string[] {
  if (quote === '' || !line.includes(quote)) return line.split(delimiter).map((field) => field.trim());
  const fields: string[] = [];
  let field = '';
  let inside = false;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === quote && (inside || field.trim() === '')) {
      if (inside && line[i + 1] === quote) field += line[i++];
      else inside = !inside;
    } else if (!inside && line.startsWith(delimiter, i)) {
      fields.push(field.trim());
      field = '';
      i += delimiter.length - 1;
    } else field += line[i];
  }
  fields.push(field.trim());
  return fields;
}
