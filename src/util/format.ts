/** Numbers and tables as people write and read them. */

const SUFFIXES: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9, b: 1e9, t: 1e12, p: 1e15 };

/** Reads `50M`, `1e6`, `1_000`, `2.5k` or a number; undefined when it is none of these. */
export function parseCount(text: string | number): number | undefined {
  if (typeof text === 'number') return Number.isFinite(text) ? text : undefined;
  const match = /^\s*([0-9][0-9_]*(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)\s*([kmgbtp]?)\s*$/i.exec(text);
  if (!match) return undefined;
  return Number(match[1]!.replaceAll('_', '')) * SUFFIXES[match[2]!.toLowerCase()]!;
}

/** `290944` as `290.9k`, three to four significant digits. */
export function formatCount(value: number): string {
  const size = Math.abs(value);
  for (const [suffix, unit] of [
    ['P', 1e15],
    ['T', 1e12],
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const)
    if (size >= unit)
      return `${(value / unit).toFixed(size >= 100 * unit ? 0 : size >= 10 * unit ? 1 : 2)}${suffix}`;
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}

/** Seconds as `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}

/** Bytes as `1.5 GiB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
