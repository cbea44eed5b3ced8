import { describe, expect, it } from 'vitest';
import { chooseColumns } from '../../../src/data/read/columns.js';
import { clockKind } from '../../../src/data/read/time/clock.js';

const choose = (names: string, values?: string, options = {}) => {
  const columns = names.split(',');
  const rows = values?.split(';').map((row) => row.split(','));
  const { user, item, time, order } = chooseColumns(
    columns,
    options,
    'x.csv',
    rows && columns.map((_, i) => rows.map((row) => row[i] || null)),
  );
  return Object.fromEntries(
    Object.entries({ user, item, time, order }).filter(([, value]) => value !== undefined),
  );
};

describe('chooseColumns by names', () => {
  it.each([
    ['order_id,customer,sku,bought_at,price', { user: 1, item: 2, time: 3 }],
    ['orderId,customerNo,productName,boughtAt', { user: 1, item: 2, time: 3 }],
    ['Client No,Film,latitude,Purchase Date', { user: 0, item: 1, time: 3 }],
    ['lat,user,item,price', { user: 1, item: 2 }],
    ['user,item,created_at,updated_at', { user: 0, item: 1, time: 2 }],
    ['user,item,position,watch_time', { user: 0, item: 1, order: 2 }],
  ])('%s', (names, expected) => {
    expect(choose(names)).toEqual(expected);
  });

  it.each([
    // Two that tell equally well, lengths of time, dates of other things: none is guessed, and none in silence.
    ['user,item,bought_at,shipped_at', /bought_at \(one of several.*shipped_at/],
    ['user,item,dwell_time', /dwell_time \(its name is that of a duration/],
    ['user,item,release_date', /release_date \(its name/],
  ])('%s is asked about', (names, message) => {
    expect(() => choose(names)).toThrow(message);
    expect(choose(names, undefined, { time: 'none' })).toEqual({ user: 0, item: 1 });
  });
});

describe('chooseColumns by values', () => {
  it('an hour of the day is no clock, and a plain count is one only under a usual name', () => {
    expect(() => choose('user,item,trans_time', '1,2,532;1,3,1515;2,3,14')).toThrow(/looks like an hour/);
    expect(() => choose('user,item,seen_at', '1,2,53299;1,3,15;2,3,14')).toThrow(/no time since 1990/);
    expect(choose('user,item,time', '1,2,53299;1,3,15;2,3,14')).toEqual({ user: 0, item: 1, time: 2 });
    expect(chooseColumns(['user', 'item', 'time'], {}, 'x', [['1'], ['2'], ['77']]).unsureTime).toBe(true);
    expect(chooseColumns(['user', 'item', 'time'], {}, 'x', [['1'], ['2'], ['1600000000']]).unsureTime).toBe(
      false,
    );
  });

  it('a user without values in most rows is passed over, and said', () => {
    const choice = chooseColumns(['session_id', 'user_id', 'item_id'], {}, 'x', [
      ['1', '1', '2'],
      ['NA', 'NULL', '7'],
      ['5', '6', '7'],
    ]);
    expect(choice.user).toBe(0);
    expect(choice.why.user).toMatch(/user_id has no value in 67 %/);
  });

  it.each([
    ['clock', ['1600000000', '1600000001.5']],
    ['clock', ['1600000000000']],
    ['clock', ['20200913', '20201231']],
    ['clock', ['2020-09-13T10:00:00Z', '']],
    ['clock', ['13/09/20', '14/09/20']],
    ['clock', ['Wed Aug 27 13:08:45 +0000 2008']],
    ['hour', ['532', '1515', '14']],
    ['counter', ['1', '2', '3']],
    ['words', ['a', 'b']],
    ['empty', ['NA', '', null]],
  ] as const)('%s: %j', (kind, values) => {
    expect(clockKind(values)).toBe(kind);
  });
});
