/**
 * Dates that can be read in one way only, in SQL: year first, then month and day (with - or /), a time of day where there is
 * one, and a zone: Z, UTC, +05:30, +0530, +05, or an abbreviation that means one offset. Without a zone: UTC.
 */
import { sqlText } from '../../duckdb.js';

/** Abbreviations by their offset in hours: those of RFC 2822 and of Europe. CST and IST are others' too in common use, but RFC 2822 settles CST. */
const ZONES: Record<string, number> = {
  EST: -5,
  EDT: -4,
  CST: -6,
  CDT: -5,
  MST: -7,
  MDT: -6,
  PST: -8,
  PDT: -7,
  AKST: -9,
  AKDT: -8,
  HST: -10,
  WET: 0,
  WEST: 1,
  CET: 1,
  CEST: 2,
  EET: 2,
  EEST: 3,
  MSK: 3,
  JST: 9,
  KST: 9,
  AEST: 10,
  AEDT: 11,
};

const BASE = String.raw`([0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}(?:(?:T| +)[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?)?)`;
const SUFFIX = `(?: *(Z|z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{1,2}(?::?[0-9]{2})?|${Object.keys(ZONES).join('|')}))?`;
const ISO = sqlText(`^${BASE}${SUFFIX}$`);

/** The commonest spelling, in UTC or without a zone: a cast reads it, several times as fast as the general way. */
export const PLAIN_DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z| UTC)?)?$/;

/** Whether a text is so spelt. */
export function isPlainSql(text: string): string {
  return `regexp_full_match(${text}, ${sqlText(PLAIN_DATE.source.slice(1, -1))})`;
}

/** Whether a text is such a date, and of this calendar. */
export function isIsoSql(text: string): string {
  return `(regexp_full_match(${text}, ${ISO}) AND TRY_CAST(regexp_extract(${text}, ${ISO}, 1) AS TIMESTAMP) IS NOT NULL)`;
}

/** The zone as it is written, '' for none. */
export function suffixSql(text: string): string {
  return `regexp_extract(${text}, ${ISO}, 2)`;
}

/** Seconds since 1970 of such a text. */
export function isoSql(text: string): string {
  const zone = suffixSql(text);
  const digits = `regexp_replace(${zone}, '^(UTC|GMT)?[+-]|:', '', 'g')`;
  // +05, +5, +0530, +530: minutes are the last two of three or four digits.
  const hours = `TRY_CAST(CASE WHEN length(${digits}) > 2 THEN left(${digits}, length(${digits}) - 2) ELSE ${digits} END AS INTEGER)`;
  const minutes = `TRY_CAST(CASE WHEN length(${digits}) > 2 THEN right(${digits}, 2) ELSE '0' END AS INTEGER)`;
  const named = Object.entries(ZONES)
    .map(([name, offset]) => `WHEN '${name}' THEN ${3600 * offset}`)
    .join(' ');
  const offset =
    `CASE WHEN ${zone} IN ('', 'Z', 'z', 'UTC', 'GMT') THEN 0 ` +
    `WHEN contains(${zone}, '-') THEN -(3600 * ${hours} + 60 * ${minutes}) ` +
    `WHEN contains(${zone}, '+') THEN 3600 * ${hours} + 60 * ${minutes} ELSE CASE ${zone} ${named} END END`;
  return `(epoch(TRY_CAST(regexp_extract(${text}, ${ISO}, 1) AS TIMESTAMP)) - (${offset}))::DOUBLE`;
}
