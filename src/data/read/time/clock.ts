/** What a time can look like: the range of a plausible clock in each unit, and what a column's values are by a sample of them. */

/** Units of a numeric time: how many of them are a second. */
export const PER_SECOND = { s: 1, ms: 1e3, us: 1e6, ns: 1e9 } as const;
export type ClockUnit = keyof typeof PER_SECOND;

/** 1990-01-01 and 2100-01-01, in seconds: what lies between them is a clock in that unit and in no other. */
export const EARLIEST = 631_152_000;
export const LATEST = 4_102_444_800;

/** Texts that stand for "no value", as tables are written by pandas, R, SQL and spreadsheets. */
export const MISSING = [
  '',
  'NA',
  'N/A',
  'n/a',
  '#N/A',
  '<NA>',
  'NaN',
  'nan',
  'NaT',
  'NULL',
  'Null',
  'null',
  'None',
  '\\N',
];

/** The unit in which a number is a time between 1990 and 2100. */
export function unitOf(value: number): ClockUnit | undefined {
  return (Object.keys(PER_SECOND) as ClockUnit[]).find(
    (unit) => value >= EARLIEST * PER_SECOND[unit] && value < LATEST * PER_SECOND[unit],
  );
}

/**
 * - clock: dates, or numbers that are a time since 1990 in some unit, or days written as 20200913;
 * - counter: other numbers; - hour: numbers of a day's clock (0 to 2359); - words: neither; - empty: nothing there.
 */
export type ClockKind = 'clock' | 'counter' | 'hour' | 'words' | 'empty';

/** What most of the values are. */
export function clockKind(values: readonly (string | null)[]): ClockKind {
  const present = values.filter(
    (value): value is string => value !== null && !MISSING.includes(value.trim()),
  );
  if (present.length === 0) return 'empty';
  const share = (test: (value: string) => boolean) => present.filter(test).length / present.length;
  const isNumber = (value: string) => value.trim() !== '' && Number.isFinite(Number(value));
  const isDay = (value: string) =>
    /^(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(\d{6})?$/.test(value.trim());
  if (share((value) => isNumber(value) && (unitOf(Number(value)) !== undefined || isDay(value))) > 0.5)
    return 'clock';
  if (share(isNumber) > 0.5) {
    const whole = present.filter((value) => /^\d{1,4}(\.0)?$/.test(value.trim())).map(Number);
    const isHour = whole.length === present.length && whole.every((v) => v <= 2400 && v % 100 < 60);
    // Mornings and evenings; a count has no reason to leave out 60 to 99.
    return isHour && whole.some((v) => v >= 1200) && whole.some((v) => v < 1200) ? 'hour' : 'counter';
  }
  // A date has two numbers at least with a separator between, or a number beside a word for a month.
  const isDate = (value: string) =>
    /\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}/.test(value) || (/\b[A-Z][a-z]{2}/.test(value) && /\d{4}/.test(value));
  return share(isDate) > 0.5 ? 'clock' : 'words';
}
