/** The words and tables of `perflaw compare`. */
import type { PairedDifference } from '../../law/trust/paired.js';
import type { GroupDifference, RankComparison } from '../../sweep/results/compare-ranks.js';
import { leaves } from '../../util/leaves.js';
import { formatTable } from '../../util/table.js';

const value = (number: number) => number.toFixed(4);
const signed = (number: number) => `${number < 0 ? '-' : '+'}${value(Math.abs(number))}`;
const probability = (p: number) => (p < 1e-4 ? '<0.0001' : p.toFixed(4));
const interval = ([low, high]: [number, number]) => `${signed(low)} to ${signed(high)}`;

const differenceCells = (one: PairedDifference) => [
  value(one.a),
  value(one.b),
  signed(one.difference),
  interval(one.interval),
];

/** The comparison in tables, with a sentence on what it does not tell. */
export function comparisonText(comparison: RankComparison): string {
  const { a, b, part, history, users, level, metrics, groups } = comparison;
  const percent = `${Number((100 * level).toPrecision(4))} %`;
  const lines = [
    `A  ${a.name}: ${settingsOf(a, b)}`,
    `B  ${b.name}: ${settingsOf(b, a)}`,
    `${part}, ${users} users, history ${history}`,
    '',
    formatTable(
      ['metric', 'A', 'B', 'B - A', `${percent} interval`, 'p', 'unpaired interval', 'times wider'],
      Object.entries(metrics).map(([name, one]) => [
        name,
        ...differenceCells(one),
        probability(one.p),
        interval(one.unpaired.interval),
        one.unpaired.timesWider === null ? '-' : one.unpaired.timesWider.toFixed(1),
      ]),
      { spare: ['times wider', 'unpaired interval'] },
    ),
  ];
  for (const [title, list] of [
    ['items in the history', groups.historyLength],
    ['popularity of the target (times in training histories)', groups.targetPopularity],
  ] as const)
    if (list.length > 1) lines.push('', `${groups.metric} by ${title}:`, groupTable(list, percent));
  const seeds = Object.entries(metrics).flatMap(([name, { difference, overSeeds }]) =>
    overSeeds
      ? [
          [
            name,
            signed(difference),
            value(overSeeds.betweenSeeds),
            interval(overSeeds.interval),
            probability(overSeeds.p),
          ],
        ]
      : [],
  );
  if (seeds.length > 0) {
    lines.push(
      '',
      'Over other users and other seeds:',
      formatTable(['metric', 'B - A', 'deviation of a seed', `${percent} interval`, 'p'], seeds),
      '',
      'The tables above it are about these seeds: what other users would change.',
    );
    return lines.join('\n');
  }
  lines.push(
    '',
    'One run each: the intervals tell what other users would change. What another seed would, several of each tell: `perflaw compare A1,A2,A3 B1,B2,B3`.',
  );
  return lines.join('\n');
}

/** What tells a side from the other, and its seeds where there are several. */
function settingsOf({ config, seeds }: RankComparison['a'], other: RankComparison['b']): string {
  if (seeds.length === 1 && other.seeds.length === 1) return differingSettings(config, other.config);
  const settings = differingSettings({ ...config, seed: other.config.seed }, other.config);
  return `${settings}, ${seeds.length === 1 ? 'seed' : 'seeds'} ${seeds.join(', ')}`;
}

function groupTable(groups: readonly GroupDifference[], percent: string): string {
  return formatTable(
    ['group', 'users', 'A', 'B', 'B - A', `${percent} interval`, 'p', 'p, all groups'],
    groups.map((group) => [
      group.from === group.to ? String(group.from) : `${group.from} to ${group.to}`,
      String(group.users),
      ...differenceCells(group),
      probability(group.p),
      probability(group.holm),
    ]),
    { spare: ['p'] },
  );
}

/** The settings of the first in which the two differ: `dim 32, seed 1`. */
function differingSettings(config: object, other: object): string {
  const [own, others] = [leaves(config), leaves(other)];
  const names = [...new Set([...own.keys(), ...others.keys()])].filter(
    (name) => own.get(name) !== others.get(name),
  );
  const word = (name: string) =>
    name
      .replace(/\.name$/, '')
      .split('.')
      .at(-1);
  return names.map((name) => `${word(name)} ${own.get(name) ?? '-'}`).join(', ');
}
