/** A nested value laid flat, to find in what two of them differ. */
import { canonicalJson } from './hash.js';

/** Every value by its path (`model.dim`), as text; lists are values. */
export function leaves(value: object, path = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, part] of Object.entries(value)) {
    const here = path === '' ? key : `${path}.${key}`;
    if (typeof part === 'object' && part !== null && !Array.isArray(part))
      for (const [inner, text] of leaves(part, here)) found.set(inner, text);
    else if (part !== undefined) found.set(here, typeof part === 'string' ? part : canonicalJson(part));
  }
  return found;
}
