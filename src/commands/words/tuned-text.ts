/** What was tuned, in words and a table: the best setting of every configuration, and how it moves with the size. */
import type { TunedMove } from '../../law/points/tuned/moves.js';
import type { TunedConfiguration, Tuning } from '../../law/points/tuned.js';
import { formatTable } from '../../util/table.js';
import { digits } from './fit-text.js';

/** A move is called one where its power is so many standard errors from 0. */
const CLEAR = 2;

/** Configurations of slice and group together, smaller ones first. */
function bySize(a: TunedConfiguration, b: TunedConfiguration): number {
  const place = ({ slice, group }: TunedConfiguration) => `${slice} ${JSON.stringify(group)}`;
  return place(a) < place(b) ? -1 : place(a) > place(b) ? 1 : a.layers - b.layers || a.dim - b.dim;
}

/** How the best value of a setting goes with the size, as a sentence. */
export function moveWords({ setting, powers, configurations }: TunedMove): string {
  const parts = Object.entries(powers).map(([axis, { power, standardError }]) => {
    const shown = `${axis}^${digits(power, 2)} (standard error ${digits(standardError, 1)})`;
    return Math.abs(power) > CLEAR * standardError ? shown : `${shown}, which is not clear of 0`;
  });
  return `the best ${setting} goes as ${parts.join(' and ')}, over ${configurations} configurations`;
}

/** `0.002`, or with the values that are as good `0.002 (0.001 to 0.004)`. */
function bestText({ best, asGood }: TunedConfiguration, name: string): string {
  const [least, most] = asGood[name] ?? [0, 0];
  return least === most ? String(best[name]) : `${best[name]} (${least} to ${most})`;
}

/** The table of `perflaw fit`. */
export function tuningText(tuning: Tuning, metric: string): string {
  const { settings, by, configurations, moves, validated } = tuning;
  if (settings.length === 0)
    return 'Tuned settings have one value each among these runs: nothing was chosen.';
  const groups = [...new Set(configurations.flatMap(({ group }) => Object.keys(group)))];
  const several = new Set(configurations.map(({ slice }) => slice)).size > 1;
  const read = by !== metric;
  const table = formatTable(
    [
      ...(several ? ['slice'] : []),
      ...groups,
      'layers',
      'dim',
      ...settings.map((name) => `best ${name}`),
      'tried',
      by,
      'lead',
      ...(read ? [metric] : []),
      'flattered by',
    ],
    [...configurations]
      .sort(bySize)
      .map((one) => [
        ...(several ? [one.slice] : []),
        ...groups.map((name) => String(one.group[name])),
        String(one.layers),
        String(one.dim),
        ...settings.map((name) => bestText(one, name)),
        String(one.tried),
        digits(one.chosenBy),
        digits(one.lead, 2),
        ...(read ? [digits(one.read)] : []),
        digits(one.optimism === null ? null : Math.abs(one.optimism), 2),
      ]),
    { spare: ['flattered by', 'lead', 'tried', 'slice'] },
  );
  return [
    `Tuned: ${settings.join(', ')}; the best by ${by} stands for each configuration${validated ? `, read as ${metric}` : ''}`,
    '',
    table,
    ...(configurations.some(({ asGood }) => Object.values(asGood).some(([least, most]) => least < most))
      ? ['in brackets: values within two standard errors of the best']
      : []),
    ...moves.map(moveWords),
  ].join('\n');
}
