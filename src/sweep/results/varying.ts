/** The settings in which trials differ: the columns without which two of them look the same. */
import { absentSetting, varyingSettings } from '../../law/points/settings.js';
import type { TrialConfig } from '../../train/config.js';
import { settingsOf } from './observations.js';

export interface VaryingColumns {
  /** Names in the order of labels; layers, dim, slice and seed have columns of their own. */
  names: string[];
  /** A trial's values, in the order of the names. */
  of(config: TrialConfig): (string | number)[];
}

/** @param but settings that are shown anyway. */
export function varyingColumns(configs: readonly TrialConfig[], but: readonly string[] = []): VaryingColumns {
  const names = [...varyingSettings(configs.map(settingsOf)).keys()].filter((name) => !but.includes(name));
  return {
    names,
    of: (config) => {
      const settings = settingsOf(config);
      return names.map((name) => settings[name] ?? absentSetting(name));
    },
  };
}
