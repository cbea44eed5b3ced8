/** Every launcher: a row here and a folder beside. Commands, sweep files and runs know of no other list. */
import type { LauncherKind } from './kind.js';
import { local } from './local/kind.js';
import { slurm } from './slurm/kind.js';

export const LAUNCHERS = { local, slurm };

export type LauncherName = keyof typeof LAUNCHERS;
export const LAUNCHER_NAMES = Object.keys(LAUNCHERS) as LauncherName[];

/** A launcher's row, whichever it is. */
export function launcherKind(name: LauncherName): LauncherKind {
  return LAUNCHERS[name] as LauncherKind;
}
