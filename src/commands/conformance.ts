/** `perflaw conformance FOLDER`: holds this build against numbers of the published implementations. */
import type { Argv } from 'yargs';
import type { CaseReport } from '../model/conformance/cases.js';
import { ExitCode } from '../util/errors.js';
import { type Arguments, note, print, printJson } from './options/command.js';

export function options(yargs: Argv): Argv {
  return yargs
    .positional('folder', { type: 'string', description: 'Folder of cases (*.json)' })
    .option('backend', { type: 'string', default: 'wasm', description: 'Backend to check' })
    .example(
      '$0 conformance fixtures --backend composed',
      'Check plain tfjs ops instead of the fused kernels',
    );
}

export async function run(args: Arguments): Promise<number> {
  const { openBackend } = await import('../kernels/backend.js');
  const { checkFolder, TOLERANCE } = await import('../model/conformance/check.js');
  const backend = await openBackend(args['backend'] as string, note);
  const reports = checkFolder(args['folder'] as string);
  const count = (status: CaseReport['status']) => reports.filter((r) => r.status === status).length;
  if (args.json) printJson({ backend, tolerance: TOLERANCE, cases: reports });
  else {
    for (const report of reports) printCase(report);
    print(
      `\nOn ${backend}: ${count('passed')} passed, ${count('failed')} failed, ${count('not covered')} not covered (tolerance ${TOLERANCE}).`,
    );
  }
  return count('failed') > 0 ? ExitCode.internal : ExitCode.ok;
}

function printCase({ file, kind, status, errors, worst, message }: CaseReport): void {
  print(`${status.padEnd(11)}  ${file} (${kind})${errors.length ? `, worst ${worst.toExponential(1)}` : ''}`);
  if (message) print(`             ${message}`);
  for (const { tensor, relative } of errors)
    print(`             ${relative.toExponential(1).padStart(8)}  ${tensor}`);
}
