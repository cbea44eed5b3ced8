import { describe, expect, it } from 'vitest';
import { importFile } from '../../../src/data/import/import.js';
import { file, userError } from '../files.js';

const path = () =>
  file(
    'where.csv',
    `user;item;rating;kind;title;at
1;a;5;buy;Tom and Jerry;2020-01-01
1;b;2,5;view;Drama (US);2020-06-01
1;c;4,5;cart;;2021-01-01T10:00:00+02:00
1;d;good;buy;x or y;2021-02-01
1;e;;view;NA;2021-03-01
`,
  );
const read = async (...where: string[]) => {
  const { interactions, notes, reading } = await importFile(path(), { kCore: 0, where });
  return { kept: interactions.itemIds.slice(1).join(''), notes: notes.join('\n'), reading };
};

describe('conditions', () => {
  it.each([
    [['rating>=4'], 'ac'],
    [['rating>=4', 'kind=buy'], 'a'],
    [['kind=buy or kind=cart'], 'acd'],
    [['rating>=4 and kind=buy or kind=view'], 'abe'],
    [['rating>=4 and (kind=buy or kind=cart)'], 'ac'],
    [['(kind=buy or (kind=cart)) AND rating>2'], 'ac'],
    [['title="Tom and Jerry"'], 'a'],
    [['title="x or y" or kind = cart'], 'cd'],
    [['title=Drama (US)'], 'b'],
    [['(title=Drama (US))'], 'b'],
    [['title='], 'ce'],
    [['title!='], 'abd'],
    [['rating!='], 'abcd'],
    [['kind!=buy'], 'bce'],
    [['kind<>buy', 'kind!=view'], 'c'],
    [['rating==5'], 'a'],
    [['at>=2021-01-01'], 'cde'],
    [['at<2021-01-01 08:00:01'], 'abc'],
  ])('%j', async (where, kept) => {
    expect((await read(...where)).kept).toBe(kept);
  });

  it('says what went and what could not be compared', async () => {
    const { notes, reading } = await read('rating>=4', 'kind!=view');
    expect(notes).toMatch(/5 rows read\./);
    expect(notes).toMatch(/3 rows left out: they do not meet rating>=4/);
    expect(notes).toMatch(/2 rows left out: they do not meet kind!=view/);
    expect(notes).toMatch(/1 values of rating are no numbers/);
    expect(notes).toMatch(/2 values of rating have a decimal comma/);
    expect(reading).toMatchObject({
      rows: 5,
      interactions: 2,
      conditions: [
        { condition: 'rating>=4', leftOut: 3 },
        { condition: 'kind!=view', leftOut: 2 },
      ],
    });
    const none = await userError(importFile(path(), { kCore: 0, where: ['kind=rent'] }));
    expect(none.message).toMatch(/no row meets the conditions/);
  });

  it.each([
    ['rating', /"rating" is no condition/],
    ['rating>=4 and', /something is missing/],
    ['rating>=4 and or kind=buy', /missing before "or"/],
    ['(rating>=4', /bracket is not closed/],
    ['rating>=4)', /"\)" is one too many/],
    ['title="Tom', /quote is not closed/],
    ['kind>buy', /not a number/],
    ['ratng>4', /no column "ratng"/],
    ['', /something is missing/],
  ])('refuses %j', async (where, message) => {
    expect((await userError(importFile(path(), { where: [where] }))).message).toMatch(message);
  });
});
