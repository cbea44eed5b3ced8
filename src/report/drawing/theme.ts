/**
 * Colours and type of every figure. One set of names, two realisations: `PAPER` for files (light, fixed colours) and `PAGE` for
 * the HTML, whose values are CSS custom properties, so that one SVG serves the light and the dark page.
 * Categories use the Okabe-Ito palette, order and magnitude use viridis: both survive the common colour-vision deficiencies.
 */
import type { Config } from 'vega-lite';

export interface Theme {
  ink: string;
  muted: string;
  rule: string;
  /** Behind the chart: used to part a mark from what lies under it. */
  card: string;
  background: string | null;
  /** The one colour for "look here". */
  accent: string;
  categories: string[];
  /** From small to large. */
  ordered: string[];
}

export const FONT = "'DejaVu Sans', Verdana, 'Segoe UI', sans-serif";

interface Palette extends Omit<Theme, 'background'> {}

/** The light page and every file. */
export const LIGHT: Palette = {
  ink: '#1c2330',
  muted: '#566173',
  rule: '#dfe4ea',
  card: '#ffffff',
  accent: '#c2410c',
  categories: ['#0072b2', '#d55e00', '#00805e', '#a8508a', '#8a6d00', '#3a8fc4'],
  ordered: ['#440154', '#46327e', '#365c8d', '#277f8e', '#1fa187', '#4ab56a', '#8fc23c', '#c9b800'],
};

/** The dark page. */
export const DARK: Palette = {
  ink: '#e8ebf0',
  muted: '#a5afbd',
  rule: '#333c49',
  card: '#161b22',
  accent: '#ff9d5c',
  categories: ['#56b4e9', '#f08a4b', '#2cc79a', '#e39bc9', '#e0bd4a', '#9ad0f0'],
  ordered: ['#8a6bd1', '#6f86d6', '#4fa3cf', '#34b6bd', '#35c79a', '#6ed66f', '#aee04a', '#f1e51d'],
};

export const PAPER: Theme = { ...LIGHT, background: '#ffffff' };

export const PAGE: Theme = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  rule: 'var(--rule)',
  card: 'var(--card)',
  accent: 'var(--accent)',
  background: null,
  categories: LIGHT.categories.map((_, i) => `var(--category-${i})`),
  ordered: LIGHT.ordered.map((_, i) => `var(--ordered-${i})`),
};

/** Magnitude on a surface: viridis in nine steps, the same on light and dark. */
export const SURFACE_STOPS = [
  '#440154',
  '#472d7b',
  '#3b528b',
  '#2c728e',
  '#21918c',
  '#28ae80',
  '#5ec962',
  '#addc30',
  '#fde725',
];

/** The custom properties that `PAGE` refers to, as CSS declarations. */
export function cssVariables(palette: Palette): string {
  const named = ['ink', 'muted', 'rule', 'card', 'accent'] as const;
  return [
    ...named.map((name) => `--${name}:${palette[name]}`),
    ...palette.categories.map((colour, i) => `--category-${i}:${colour}`),
    ...palette.ordered.map((colour, i) => `--ordered-${i}:${colour}`),
  ].join(';');
}

/** `count` colours from small to large, spread over the whole ramp. */
export function orderedColours(theme: Theme, count: number): string[] {
  const last = theme.ordered.length - 1;
  if (count === 1) return [theme.ordered[2]!];
  return Array.from({ length: count }, (_, i) => theme.ordered[Math.round((i * last) / (count - 1))]!);
}

/** Vega-Lite configuration: quiet axes, no mark-level ARIA (the page gives each figure one label and a table). */
export function chartConfig(theme: Theme, narrow = false): Config {
  const text = { labelColor: theme.muted, titleColor: theme.ink };
  return {
    font: FONT,
    background: theme.background as Config['background'],
    aria: false,
    view: { stroke: null },
    axis: {
      ...text,
      aria: false,
      labelFontSize: 11,
      titleFontSize: 12,
      titleFontWeight: 'normal',
      titlePadding: 8,
      labelPadding: 5,
      domainColor: theme.muted,
      tickColor: theme.muted,
      tickSize: 4,
      gridColor: theme.rule,
      labelOverlap: 'greedy',
      labelSeparation: 4,
    },
    legend: {
      ...text,
      aria: false,
      labelFontSize: 11,
      titleFontSize: 11,
      titleFontWeight: 'normal',
      labelLimit: narrow ? 96 : 160,
      titleLimit: 420,
      symbolOpacity: 1,
      layout: { bottom: { direction: narrow ? 'vertical' : 'horizontal', anchor: 'start' } },
      symbolStrokeWidth: 2,
    },
    title: {
      aria: false,
      anchor: 'start',
      color: theme.ink,
      fontSize: 14,
      fontWeight: 'bold',
      subtitleColor: theme.muted,
      subtitleFontSize: 11,
      subtitlePadding: 4,
      offset: 12,
    },
    header: { labelColor: theme.ink, titleColor: theme.ink, labelFontSize: 12 },
    text: { color: theme.ink, fontSize: 11 },
    concat: { spacing: 28 },
  } as unknown as Config;
}
