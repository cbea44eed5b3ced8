/** The forms that are fitted side by side, and those that users add. */
import { UserError } from '../../util/errors.js';
import type { FormName, LawForm } from './form.js';
import { logLinear } from './log-linear.js';
import { logistic } from './logistic.js';
import { performanceLaw } from './performance-law.js';
import { quadraticLog, quadraticLogCross } from './quadratic-log.js';
import { saturatingPower } from './saturating-power.js';

/** The forms that come along: P = sum of terms in layers, dim (or training FLOPs) and a constant; see `equation` and `source` of each. */
export const FORMS: readonly LawForm[] = [
  performanceLaw,
  quadraticLog,
  quadraticLogCross,
  saturatingPower,
  logLinear,
  logistic,
];

/** Their names, as `--form` takes them. */
export const FORM_NAMES: readonly FormName[] = FORMS.map((form) => form.name);

/** Forms of one's own, and the files they come from: threads read them again from there. */
const own = new Map<FormName, { form: LawForm; source: string | undefined }>();

/**
 * Makes a form known by its name, for `fitLaw`, `compareForms` and `predict`; `loadForm` does so with a file.
 * @param source the file's URL. Without one, bootstrap replicates are not shared among threads.
 * @throws UserError when another form has the name, or something is missing.
 */
export function registerForm(form: LawForm, source?: string): LawForm {
  const place = source ?? 'registerForm';
  const lacks = [
    ...(['name', 'title', 'equation', 'constant'] as const).filter((key) => typeof form?.[key] !== 'string'),
    ...(['needs', 'terms'] as const).filter((key) => typeof form?.[key] !== 'function'),
  ];
  if (lacks.length > 0)
    throw new UserError(`this form lacks ${lacks.join(', ')}`, {
      place,
      remedy:
        'A form is an object with name, title, equation, source, constant, needs() and terms(); see docs/law.md.',
    });
  const before = own.get(form.name);
  if (FORM_NAMES.includes(form.name) || (before && (source === undefined || before.source !== source)))
    throw new UserError(`there is a form named "${form.name}" already`, {
      place,
      remedy: 'Give it another name.',
    });
  own.set(form.name, { form, source });
  return form;
}

/** Where threads find a form: `built in`, the file of one's own, or undefined where there is no file. */
export function formSource(name: FormName): string | undefined {
  return FORM_NAMES.includes(name) ? 'built in' : own.get(name)?.source;
}

/** @throws UserError for a name that is none of FORM_NAMES and was not registered. */
export function formByName(name: string): LawForm {
  const form = FORMS.find((candidate) => candidate.name === name) ?? own.get(name)?.form;
  if (!form)
    throw new UserError(`no form named "${name}"`, {
      place: '--form',
      remedy: `The forms are ${[...FORM_NAMES, ...own.keys()].join(', ')}; a form of one's own is given by its file, such as ./my-form.mjs.`,
    });
  return form;
}
