/** The plan of a sweep as a file: one line a trial, short enough to be read by people, and by fit at once. */
import { fileError, UserError } from '../../util/errors.js';
import { readJson, readRegular } from '../../util/files.js';
import { isWholePlan, STORE_SCHEMA, type StoredPlan } from './layout.js';

export function planText(plan: StoredPlan): string {
  const { trials, ...head } = plan;
  return JSON.stringify({ ...head, trials: [] }, null, 2).replace(
    /\[\]\n\}$/,
    () => `[\n${trials.map((trial) => `    ${JSON.stringify(trial)}`).join(',\n')}\n  ]\n}\n`,
  );
}

/** @throws UserError where the plan that lies there is of another version of the store. */
export function refuseOtherPlan(path: string): void {
  let schema: unknown;
  try {
    schema = (JSON.parse(readRegular(path)) as StoredPlan | null)?.schema;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code) throw fileError(error, path, 'read this file');
    return; // Not JSON: the plan is written anew, results are checked one by one.
  }
  if (schema !== STORE_SCHEMA) throw otherSchema(path, schema);
}

/** @throws UserError when it is missing, damaged or of another version. */
export function readPlanFile(path: string): StoredPlan {
  const plan = readJson(path) as StoredPlan;
  if (plan?.schema !== STORE_SCHEMA) throw otherSchema(path, plan?.schema);
  if (!isWholePlan(plan))
    throw new UserError('this plan is damaged', {
      place: path,
      remedy: 'Run the sweep again; finished trials are kept.',
    });
  return plan;
}

/** A file of a store of another version. */
export function otherSchema(path: string, found: unknown): UserError {
  return new UserError(
    `this file was written by another version of perflaw (schema ${JSON.stringify(found) ?? 'none'}, this one reads ${STORE_SCHEMA})`,
    { place: path, remedy: 'Use that version, or another folder with --out.' },
  );
}
