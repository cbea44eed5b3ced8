import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitLine } from '../../../../src/data/read/file/delimiter.js';
import { scanText } from '../../../../src/data/read/file/scan.js';
import { file } from '../../files.js';

const scan = (text: string | Uint8Array, fields = 2, delimiter = ',', quote = '"', skip = 0) =>
  scanText(file('scan.txt', text), 'f.csv', { delimiter, quote, fields, skip });

describe('scanText', () => {
  it('counts lines and records', () => {
    expect(scan('a,b\n1,2\n\n3,4')).toMatchObject({ lines: 3, records: 3, longest: 3 });
    expect(scan('a,b\r\n1,"x\ny"\r\n')).toMatchObject({
      lines: 3,
      records: 2,
      ends: { lf: 0, crlf: 2, cr: 0 },
    });
    expect(scan('a,b\r1,2\r')).toMatchObject({ lines: 2, ends: { lf: 0, crlf: 0, cr: 2 } });
    expect(scan('sep=,\n# x "\na,b\n1,2\n', 2, ',', '"', 2)).toMatchObject({ lines: 2, records: 2 });
  });

  it('tells what quotes do', () => {
    expect(scan('a,b\n"1","2"\n').quotes).toMatchObject({ whole: 2, needed: 0, broken: 0 });
    expect(scan('a,b\n1,"2,3"\n').quotes).toMatchObject({ needed: 1, broken: 0 });
    expect(scan('a,b\n1,"2\n3 ""x"" 4"\n').quotes).toMatchObject({ needed: 1, broken: 0, open: 0 });
    expect(scan('a,b\n1,12" mix\n').quotes).toMatchObject({ inside: 1, broken: 0 });
    expect(scan('a,b\n1,"Weird Al" Y\n').quotes).toMatchObject({ broken: 1, firstBroken: 2 });
    // Every line is a record by itself: the quote is a letter.
    expect(scan('a,b\n1,"Heroes\n2,x\n3,y"\n').quotes).toMatchObject({ broken: 1, firstBroken: 2, open: 0 });
    expect(scan('a,b\n1,"Heroes\n2,x').quotes).toMatchObject({ broken: 1, firstBroken: 2 });
    // The lines after it are none: a field that never ends.
    expect(scan('a,b\n1,"long\ntext\n').quotes).toMatchObject({ broken: 0, open: 2 });
  });

  it('names the line of a byte that is no text, however far down', () => {
    const lines = Buffer.from('1,2\n'.repeat(600_000));
    for (const [at, byte, message] of [
      [0, 0xff, /not UTF-8/],
      [399_999, 0, /zero byte/],
      [599_999, 0xc3, /not UTF-8/],
    ] as const) {
      const bytes = Buffer.from(lines);
      bytes[4 * at + 2] = byte;
      expect(() => scan(bytes)).toThrow(
        expect.objectContaining({ place: `f.csv:${at + 1}`, message: expect.stringMatching(message) }),
      );
    }
  });

  it('agrees with a slow reading of well-formed text', () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '1', ',', '"', '\n', ' ', 'é'), maxLength: 6 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        (rows, last) => {
          const text =
            rows.map((row) => row.map((c) => `"${c.replaceAll('"', '""')}"`).join(',')).join('\n') +
            (last ? '\n' : '');
          const { records, quotes } = scan(text, 3);
          expect(records).toBe(rows.length);
          const cells = rows.flat();
          expect(quotes).toMatchObject({ open: 0, inside: 0 });
          // A broken field can only be one whose lines look like whole records.
          if (quotes.broken === 0) {
            expect(quotes.whole).toBe(cells.filter((c) => !/[,\n]/.test(c)).length);
            expect(quotes.needed).toBeGreaterThanOrEqual(
              rows.filter((row) => row.some((c) => c.includes('\n'))).length,
            );
          }
          for (const row of rows)
            if (!row.some((c) => c.includes('\n')))
              expect(splitLine(row.map((c) => `"${c.replaceAll('"', '""')}"`).join(','), ',', '"')).toEqual(
                row.map((c) => c.trim()),
              );
        },
      ),
    );
  });
});
