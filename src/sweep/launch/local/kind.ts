/** The launcher `local`: processes of this machine. */
import type { LauncherKind } from '../kind.js';

export const local = {
  about: 'processes of this machine',
  async open({ workers, limits }) {
    return (await import('./local.js')).localLauncher({ workers, limits });
  },
} satisfies LauncherKind;
