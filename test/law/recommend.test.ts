/** What is recommended, of any law: the rules that prediction and report share. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Asked, recommend, smallestAsGood } from '../../src/law/recommend.js';

interface One {
  params: number;
  value: number;
  inside: boolean;
}
/** Runs vary by 1 about the law. */
const asked = (direction: 'maximize' | 'minimize'): Asked<One> => ({
  direction,
  value: (one) => one.value,
  expected: ({ value }) => ({ value, interval: [value - 1, value + 1] }),
  isInside: ({ inside }) => inside,
});
const some = fc.array(
  fc.record({
    params: fc.integer({ min: 1, max: 9 }),
    value: fc.integer({ min: -5, max: 5 }),
    inside: fc.boolean(),
  }),
  { minLength: 1, maxLength: 12 },
);

it('is the best inside, unless one outside is better by more than one run varies', () => {
  fc.assert(
    fc.property(some, (list) => {
      const { best, highest, inside, beyond } = recommend(list, asked('maximize'));
      const top = (of: One[]) => Math.max(...of.map(({ value }) => value));
      const measured = list.filter((one) => one.inside);
      expect(highest.value).toBe(top(list));
      if (measured.length === 0) expect([best, inside, beyond]).toEqual([highest, undefined, undefined]);
      else {
        expect(inside!.value).toBe(top(measured));
        const leaves = top(list) > top(measured) + 1;
        expect(best).toBe(leaves ? highest : inside);
        expect(beyond).toBe(leaves ? highest : undefined);
      }
    }),
  );
});

it('has a smallest that is no larger than the best and no worse than one run of it might be', () => {
  fc.assert(
    fc.property(some, (list) => {
      const { best } = recommend(list, asked('maximize'));
      const found = smallestAsGood(best, list, asked('maximize'));
      const asGood = list.filter(({ value }) => value >= best.value - 1);
      expect(asGood).toContain(found);
      expect(found.params).toBe(Math.min(...asGood.map(({ params }) => params)));
    }),
  );
});

it('of a loss is what it is of its negative', () => {
  fc.assert(
    fc.property(some, (list) => {
      const turned = list.map((one) => ({ ...one, value: -one.value }));
      const a = recommend(list, asked('maximize'));
      const b = recommend(turned, asked('minimize'));
      expect(turned.indexOf(b.best)).toBe(list.indexOf(a.best));
      const smallest = smallestAsGood(b.best, turned, asked('minimize'));
      expect(turned.indexOf(smallest)).toBe(list.indexOf(smallestAsGood(a.best, list, asked('maximize'))));
    }),
  );
});
