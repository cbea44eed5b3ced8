import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecords, formatTable, roomOn, wrap } from '../../src/util/table.js';

const HEADER = ['trial', 'model', 'layers', 'dim', 'ndcg@10', 'where'];
const ROWS = [
  ['5a7ef1fa2c', 'mamba4rec', '1', '32', '0.2109', 'measured'],
  ['f85525f8af', 'mamba4rec', '2', '64', '0.2118', 'EXTRAPOLATED: dim 2x beyond what was measured'],
];

describe('a table', () => {
  it('has numbers to the right and text to the left, whole where nobody limits its room', () => {
    expect(
      formatTable(
        ['name', 'n'],
        [
          ['a', '5'],
          ['bcd', '12.5k'],
        ],
      ).split('\n'),
    ).toEqual(['name      n', '----  -----', 'a         5', 'bcd   12.5k']);
    expect(formatTable(HEADER, ROWS, { room: Number.POSITIVE_INFINITY }).split('\n')).toHaveLength(4);
  });

  it('breaks its last column first', () => {
    expect(
      formatTable(HEADER, ROWS, { room: 70, spare: ['model'] })
        .split('\n')
        .slice(2),
    ).toEqual([
      '5a7ef1fa2c  mamba4rec       1   32   0.2109  measured',
      'f85525f8af  mamba4rec       2   64   0.2118  EXTRAPOLATED: dim 2x',
      '                                             beyond what was measured',
    ]);
  });

  it('then leaves out columns, those first that say the same in every row, and says which', () => {
    const text = formatTable(HEADER, ROWS, { room: 50, spare: ['layers', 'dim', 'model'] });
    expect(text).not.toContain('mamba4rec  ');
    expect(text).toContain('layers');
    expect(text.split('\n').at(-1)).toBe('No room here for: model (mamba4rec).');
    const narrow = formatTable(HEADER, ROWS, { room: 40, spare: ['layers', 'dim', 'model'] });
    expect(narrow.replaceAll('\n', ' ')).toMatch(/No room here for: model \(mamba4rec\), layers, dim\.$/);
  });

  it('is no wider than its room as long as there is something to leave out, and loses no row', () => {
    const cell = fc.stringMatching(/^[a-z0-9]{1,12}$/);
    fc.assert(
      fc.property(
        fc.array(fc.array(cell, { minLength: 5, maxLength: 5 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 20, max: 80 }),
        (rows, room) => {
          const header = ['a', 'b', 'c', 'd', 'e'];
          const lines = formatTable(header, rows, { room, spare: ['b', 'c', 'd', 'e'] }).split('\n');
          for (const line of lines.slice(0, rows.length + 2)) expect(line.length).toBeLessThanOrEqual(room);
          for (const [index, row] of rows.entries()) expect(lines[index + 2]).toContain(row[0]);
        },
      ),
    );
  });
});

it('on its side a table is a block of lines a row', () => {
  const rows = [
    ['a', '5'],
    ['bcd', ''],
  ];
  expect(formatRecords(['name', 'n'], rows)).toBe('name  a\nn     5\n\nname  bcd\nn');
});

it('a terminal has the room that it tells of', () => {
  expect(roomOn({ isTTY: true, columns: 80 })).toBe(80);
  for (const stream of [{ isTTY: true, columns: 0 }, { isTTY: false, columns: 80 }, { isTTY: true }])
    expect(roomOn(stream as Parameters<typeof roomOn>[0])).toBe(Number.POSITIVE_INFINITY);
});

describe('wrapped text', () => {
  it('breaks between words, keeps its indent, and leaves commands and tables in one piece', () => {
    expect(wrap('  one two three', 9)).toBe('  one two\n  three');
    expect(wrap('run `npm run build:tensorflow -- FOLDER`, then', 20)).toBe(
      'run\n`npm run build:tensorflow -- FOLDER`,\nthen',
    );
    expect(wrap('a table  of  numbers', 10)).toBe('a table  of  numbers');
    expect(wrap('short\n\nlines', 10)).toBe('short\n\nlines');
  });

  it('loses no word', () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z]{1,15}$/), { minLength: 1 }),
        fc.integer({ min: 5, max: 60 }),
        (words, room) => {
          const lines = wrap(words.join(' '), room).split('\n');
          expect(lines.join(' ')).toBe(words.join(' '));
          for (const line of lines) expect(line.length <= room || !line.includes(' ')).toBe(true);
        },
      ),
    );
  });
});
