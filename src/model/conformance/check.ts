/** Checks every case of a folder on the open backend. */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileError, UserError } from '../../util/errors.js';
import { readJson } from '../../util/files.js';
import type { Case, CaseReport, TensorError } from './cases.js';
import { checkModelCase, modelOfCase, NotCoveredError } from './model-case.js';
import { checkScanCase, isScanCase } from './scan-case.js';

/** float32 against float64: the published implementations agree among themselves to about this. */
export const TOLERANCE = 1e-4;

/**
 * @returns a report for every JSON file of the folder, in order of name.
 * @throws UserError when the folder cannot be read or holds no case.
 */
export function checkFolder(folder: string): CaseReport[] {
  let files: string[];
  try {
    files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch (error) {
    throw fileError(error, folder, 'read this folder of cases');
  }
  if (files.length === 0) throw new UserError('no case (*.json) in this folder', { place: folder });
  return files.sort().map((name) => checkFile(join(folder, name)));
}

function checkFile(path: string): CaseReport {
  const file = basename(path);
  const content = readJson(path) as Case;
  const model = modelOfCase(content);
  const kind = isScanCase(content) ? 'selective scan' : (model ?? 'unknown');
  const report = (status: CaseReport['status'], errors: TensorError[], message?: string): CaseReport => {
    const worst = errors.reduce((w, e) => Math.max(w, e.relative), 0);
    return { file, kind, status, errors, worst, ...(message ? { message } : {}) };
  };
  if (kind === 'unknown') return report('not covered', [], 'no model of ours has these weights');
  try {
    const errors = isScanCase(content) ? checkScanCase(content, file) : checkModelCase(content, model!, file);
    return report(errors.every((e) => e.relative <= TOLERANCE) ? 'passed' : 'failed', errors);
  } catch (error) {
    if (error instanceof NotCoveredError) return report('not covered', [], error.message);
    return report('failed', [], error instanceof Error ? error.message : String(error));
  }
}
