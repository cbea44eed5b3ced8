/** Forms of one's own: a JavaScript file whose default export is a LawForm. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { UserError } from '../../util/errors.js';
import type { LawForm } from './form.js';
import { FORM_NAMES, formByName, registerForm } from './forms.js';

const isFile = (word: string) => /\.[cm]?[jt]s$/i.test(word) || /[\\/]/.test(word);

/**
 * Loads a form from its file and makes it known by its name. The file runs as code: load only what you trust.
 * @param file a path, or a file URL.
 * @throws UserError when there is no such file, it cannot be run, or its default export is no form.
 */
export async function loadForm(file: string): Promise<LawForm> {
  const url = file.startsWith('file:') ? file : pathToFileURL(resolve(file)).href;
  if (!existsSync(new URL(url)))
    throw new UserError('there is no such file', {
      place: file,
      remedy: `The forms that come along are ${FORM_NAMES.join(', ')}.`,
    });
  let module: { default?: LawForm };
  try {
    module = (await import(url)) as { default?: LawForm };
  } catch (error) {
    throw new UserError(`this form cannot be loaded: ${(error as Error).message}`, { place: file });
  }
  if (module.default === undefined)
    throw new UserError('this file has no default export', {
      place: file,
      remedy: 'Write `export default { name: ..., terms(context) { ... } };`.',
    });
  return registerForm(module.default, url);
}

/**
 * The forms that `--form` names: one or several by commas, `all` for those that come along, files for one's own.
 * @throws UserError for a name that is none, and what `loadForm` throws.
 */
export async function namedForms(text: string): Promise<string[]> {
  const names: string[] = [];
  for (const word of text.split(',').map((part) => part.trim()))
    if (word === 'all') names.push(...FORM_NAMES);
    else if (isFile(word)) names.push((await loadForm(word)).name);
    else names.push(formByName(word).name);
  return [...new Set(names)];
}
