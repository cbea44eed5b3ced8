import { expect, it } from 'vitest';
import { fontFiles, readAdvances } from '../../../src/report/drawing/font-metrics.js';

it('reads the widths of DejaVu Sans from its tables', () => {
  const width = readAdvances(fontFiles().regular);
  // Advances in the font: i 569, m 1995, zero 1303 of 2048 units an em.
  expect(width('i') * 2048).toBe(569);
  expect(width('m') * 2048).toBe(1995);
  expect(width('0') * 2048).toBe(1303);
  expect(width('im0')).toBeCloseTo((569 + 1995 + 1303) / 2048, 10);
  expect(width('')).toBe(0);
  expect(width('²−×')).toBeGreaterThan(1);
});

it('gives bold text more room', () => {
  const files = fontFiles();
  expect(readAdvances(files.bold)('layers')).toBeGreaterThan(readAdvances(files.regular)('layers'));
});
