import { inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldImage, levelLines, roundLevels, sampleField } from '../../../src/report/drawing/field.js';

describe('level lines', () => {
  it('of a cone are circles: closed, at the right distance', () => {
    const field = sampleField(80, 80, (u, v) => Math.hypot(u - 0.5, v - 0.5));
    const lines = levelLines(field, 0.3);
    expect(lines).toHaveLength(1);
    const line = lines[0]!;
    expect(line[0]).toEqual(line[line.length - 1]);
    expect(line.length).toBeGreaterThan(100);
    for (const [u, v] of line) expect(Math.hypot(u - 0.5, v - 0.5)).toBeCloseTo(0.3, 3);
  });

  it('of a plane is one straight line from edge to edge', () => {
    const [line, ...others] = levelLines(
      sampleField(20, 30, (u) => u),
      0.4,
    );
    expect(others).toEqual([]);
    for (const [u] of line!) expect(u).toBeCloseTo(0.4, 10);
    const ends = [line![0]![1], line![line!.length - 1]![1]].sort();
    expect(ends).toEqual([0, 1]);
  });

  it('part what is above from what is below, for any plane', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -3, max: 3, noNaN: true }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (a, b) => {
          for (const line of levelLines(
            sampleField(12, 12, (u, v) => a * u + b * v),
            0.1,
          ))
            for (const [u, v] of line) expect(a * u + b * v).toBeCloseTo(0.1, 6);
        },
      ),
    );
  });

  it('are none outside the range', () => {
    expect(
      levelLines(
        sampleField(5, 5, (u) => u),
        2,
      ),
    ).toEqual([]);
  });
});

describe('round levels', () => {
  it('are multiples of 1, 2 or 5 times a power of ten, inside', () => {
    expect(roundLevels(0.101, 0.149, 9)).toEqual({
      step: 0.01,
      levels: [0.11, 0.12, 0.13, 0.14].map((v) => expect.closeTo(v, 12)),
    });
    expect(roundLevels(1, 1, 5).levels).toEqual([]);
  });
});

describe('field image', () => {
  it('has the first colour at the low end and the last at the high end', () => {
    const url = fieldImage(
      sampleField(3, 2, (u) => u),
      0,
      1,
      ['#000000', '#ff8040'],
    );
    const png = Buffer.from(url.split(',')[1]!, 'base64');
    const at = png.indexOf('IDAT');
    const pixels = inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)));
    expect([...pixels.subarray(0, 10)]).toEqual([0, 0, 0, 0, 128, 64, 32, 255, 128, 64]);
  });
});
