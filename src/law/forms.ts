/** The forms that are fitted side by side. */
import { UserError } from '../util/errors.js';
import type { FormName, LawForm } from './form.js';
import { logLinear } from './forms/log-linear.js';
import { logistic } from './forms/logistic.js';
import { performanceLaw } from './forms/performance-law.js';
import { quadraticLog, quadraticLogCross } from './forms/quadratic-log.js';
import { saturatingPower } from './forms/saturating-power.js';

export const FORMS: readonly LawForm[] = [
  performanceLaw,
  quadraticLog,
  quadraticLogCross,
  saturatingPower,
  logLinear,
  logistic,
];

export const FORM_NAMES: readonly FormName[] = FORMS.map((form) => form.name);

/** @throws UserError for a name that is none of FORM_NAMES. */
export function formByName(name: string): LawForm {
  const form = FORMS.find((candidate) => candidate.name === name);
  if (!form)
    throw new UserError(`no form named "${name}"`, {
      place: '--form',
      remedy: `The forms are ${FORM_NAMES.join(', ')}.`,
    });
  return form;
}
