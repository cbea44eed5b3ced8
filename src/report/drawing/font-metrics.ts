/**
 * Widths of text in DejaVu Sans, read from the font's own tables (OpenType: `head`, `hhea`, `hmtx`, `cmap` format 4). Vega
 * without a canvas guesses .8 em a character, which pushes titles away and drops labels that would fit.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export interface FontFiles {
  regular: string;
  bold: string;
}

/** The font files that ship with perflaw's dependency `dejavu-fonts-ttf`. */
export function fontFiles(): FontFiles {
  const root = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json');
  const file = (name: string) => join(root, '..', 'ttf', name);
  return { regular: file('DejaVuSans.ttf'), bold: file('DejaVuSans-Bold.ttf') };
}

/** Returns a function that gives the width of a text in em; characters the font lacks count as its first glyph. */
export function readAdvances(path: string): (text: string) => number {
  const bytes = readFileSync(path);
  const tables = new Map<string, number>();
  for (let i = 0; i < bytes.readUInt16BE(4); i++) {
    const at = 12 + 16 * i;
    tables.set(bytes.toString('latin1', at, at + 4), bytes.readUInt32BE(at + 8));
  }
  const unitsPerEm = bytes.readUInt16BE(tables.get('head')! + 18);
  const numMetrics = bytes.readUInt16BE(tables.get('hhea')! + 34);
  const hmtx = tables.get('hmtx')!;
  const advance = (glyph: number) => bytes.readUInt16BE(hmtx + 4 * Math.min(glyph, numMetrics - 1));
  const glyphOf = characterMap(bytes, tables.get('cmap')!);
  const known = new Map<string, number>();
  return (text) => {
    let units = 0;
    for (const character of text) {
      let width = known.get(character);
      if (width === undefined) {
        width = advance(glyphOf(character.codePointAt(0)!));
        known.set(character, width);
      }
      units += width;
    }
    return units / unitsPerEm;
  };
}

/** The map from code point to glyph of a `cmap` table's segment sub-table (the Basic Multilingual Plane). */
function characterMap(bytes: Buffer, cmap: number): (code: number) => number {
  let start = -1;
  for (let i = 0; i < bytes.readUInt16BE(cmap + 2); i++) {
    const sub = cmap + bytes.readUInt32BE(cmap + 8 + 8 * i);
    if (bytes.readUInt16BE(sub) === 4) start = sub;
  }
  if (start < 0) return () => 0;
  const size = bytes.readUInt16BE(start + 6);
  const ends = start + 14;
  const starts = ends + size + 2;
  const deltas = starts + size;
  const offsets = deltas + size;
  return (code) => {
    if (code > 0xffff) return 0;
    for (let at = 0; at < size; at += 2) {
      if (bytes.readUInt16BE(ends + at) < code) continue;
      const first = bytes.readUInt16BE(starts + at);
      if (first > code) return 0;
      const delta = bytes.readUInt16BE(deltas + at);
      const offset = bytes.readUInt16BE(offsets + at);
      if (offset === 0) return (code + delta) & 0xffff;
      const glyph = bytes.readUInt16BE(offsets + at + offset + 2 * (code - first));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
