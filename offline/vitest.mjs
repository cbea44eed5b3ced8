/**
 * What the contract of kernels uses of vitest, in a page: `describe`, `it`, `beforeAll`, `expect`. Tests are kept in order and run
 * by `runAll`, one after another.
 */
import assert from 'node:assert/strict';

const tests = [];
const before = [];
let path = [];

export function describe(name, define) {
  path = [...path, name];
  define();
  path = path.slice(0, -1);
}

export function it(name, run) {
  tests.push({ name: [...path, name].join(' > '), run });
}

export function beforeAll(run) {
  before.push(run);
}

/** Runs everything that was described; `each` gets every result as it comes. */
export async function runAll(each, until = () => false) {
  for (const run of before) await run();
  for (const { name, run } of tests) {
    if (until()) {
      each({ name, state: 'not run' });
      continue;
    }
    const begun = performance.now();
    try {
      await run();
      each({ name, state: 'passed', seconds: (performance.now() - begun) / 1000 });
    } catch (error) {
      each({ name, state: 'failed', seconds: (performance.now() - begun) / 1000, message: String(error?.message ?? error) });
    }
  }
}

export function expect(value, message) {
  const say = (text) => (message ? `${message}: ${text}` : text);
  const show = (x) => (typeof x === 'number' ? String(x) : JSON.stringify(x));
  return {
    toBe: (wanted) => assert.ok(Object.is(value, wanted), say(`${show(value)} instead of ${show(wanted)}`)),
    toEqual: (wanted) => assert.deepEqual(plain(value), plain(wanted), message),
    toBeLessThan: (limit) => assert.ok(value < limit, say(`${show(value)} is not below ${show(limit)}`)),
    toBeCloseTo: (wanted, digits = 2) =>
      assert.ok(Math.abs(value - wanted) < 10 ** -digits / 2, say(`${show(value)} is not close to ${show(wanted)}`)),
    toThrow: (pattern) => assert.throws(value, pattern instanceof RegExp ? pattern : pattern === undefined ? undefined : (error) => error.message.includes(pattern)),
  };
}

/** Prototypes aside, as vitest's toEqual has it. */
const plain = (x) => (ArrayBuffer.isView(x) ? Array.from(x) : x);
