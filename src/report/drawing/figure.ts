/** What a figure is: a title, a sentence computed from its numbers, a Vega-Lite spec at any width, and the data behind it. */
import type { TopLevelSpec } from 'vega-lite';
import { chartConfig, type Theme } from './theme.js';

export interface DataTable {
  columns: string[];
  rows: (string | number)[][];
}

export interface Canvas {
  /** Width for the whole figure in pixels; below `NARROW` panels are stacked. */
  width: number;
  /** Panels under one another; by the width where absent. */
  narrow?: boolean;
  theme: Theme;
  /** Whether the title stands in the figure itself (files) or beside it (the page). */
  titled: boolean;
}

export interface Figure {
  /** The file's name without ending, and the anchor in the page. */
  id: string;
  title: string;
  /** What the figure shows, from its numbers. */
  sentence: string;
  spec(canvas: Canvas): TopLevelSpec;
  table: DataTable;
}

/** A figure that cannot be drawn from this data, and why. */
export interface AbsentFigure {
  id: string;
  title: string;
  absent: string;
}

export type FigureOrAbsence = Figure | AbsentFigure;

/** A figure, and the part of the page in which it stands. */
export type PlacedFigure = FigureOrAbsence & { section: 'goal' | 'law' | 'training' };

export function isDrawn<F extends FigureOrAbsence>(figure: F): figure is F & Figure {
  return !('absent' in figure);
}

export const WIDE_WIDTH = 800;
export const NARROW_WIDTH = 340;
const NARROW = 500;

export function isNarrow(canvas: Canvas): boolean {
  return canvas.narrow ?? canvas.width < NARROW;
}

/** A number format with just enough decimals to tell the ticks of a domain apart. */
export function tickFormat([low, high]: readonly [number, number], ticks = 6): string {
  const step = (high - low) / ticks;
  return `.${step > 0 ? Math.min(8, Math.max(2, Math.ceil(-Math.log10(step)))) : 4}~f`;
}

/** A part of a spec: layer, unit or concatenation. Vega-Lite's own types check the whole where it is compiled. */
export type Part = Record<string, unknown>;

/** Wraps the body of a spec: schema, padding, title and configuration are the same for all figures. */
export function frame(figure: { title: string }, canvas: Canvas, body: Part): TopLevelSpec {
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    padding: canvas.titled ? 16 : 2,
    ...(canvas.titled ? { title: { text: wrap(figure.title, canvas.width / 9) } } : {}),
    ...body,
    config: chartConfig(canvas.theme, isNarrow(canvas)),
  } as unknown as TopLevelSpec;
}

/** Breaks a text into lines of at most `length` characters, between words. */
export function wrap(text: string, length: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= length)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Lays panels out side by side where there is room, under one another where there is not. */
export function panels(
  canvas: Canvas,
  count: number,
  maxColumns: number,
  inset: number,
): { columns: number; width: number } {
  const columns = isNarrow(canvas) ? 1 : Math.max(1, Math.min(count, maxColumns));
  const width = Math.max(72, Math.floor((canvas.width - columns * inset - (columns - 1) * 28) / columns));
  return { columns, width };
}

/** The heading of one panel, flush with its plot. */
export function panelTitle(text: string, limit: number): Part {
  return { text, fontSize: 12, fontWeight: 'normal', offset: 6, limit, frame: 'group' };
}

/** Columns that leave no orphan: 3 panels in a row, 4 in two rows of two. */
export function panelColumns(count: number): number {
  return count <= 3 ? count : count === 4 ? 2 : 3;
}

/** A domain with some air on both sides: a share of the range, on a logarithmic axis in the logarithm. */
export function padded(values: readonly number[], share = 0.08, log = false): [number, number] {
  const map = log ? Math.log : (v: number) => v;
  const back = log ? Math.exp : (v: number) => v;
  let [least, most] = [Infinity, -Infinity];
  for (const value of values) [least, most] = [Math.min(least, value), Math.max(most, value)];
  const [low, high] = [map(least), map(most)];
  const air = high > low ? (high - low) * share : log ? Math.LN2 / 2 : Math.max(Math.abs(high) * 0.1, 1e-3);
  return [back(low - air), back(high + air)];
}

/** Marks of one kind that a panel can hold and a reader can tell apart. */
export const MAX_MARKS = 300;

/** Evenly spread members of a long list, first and last among them; the list itself when it is short enough. */
export function thin<T>(rows: readonly T[], most = MAX_MARKS): T[] {
  if (rows.length <= most) return [...rows];
  return Array.from({ length: most }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (most - 1))]!);
}

/** A sentence for figures that do not draw everything. */
export function thinned(drawn: number, all: number, noun: string): string {
  return drawn < all ? ` Drawn are ${drawn} of ${all} ${noun}, evenly chosen.` : '';
}

/** Distinct values, ascending. */
export function distinct<T extends string | number>(values: Iterable<T>): T[] {
  return [...new Set(values)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}
