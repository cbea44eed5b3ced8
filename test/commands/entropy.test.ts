import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as entropy from '../../src/commands/entropy.js';
import { approximateEntropy } from '../../src/data/entropy/apen.js';
import { createRandom } from '../../src/util/random.js';
import { runCommand, useWorkspace } from './run.js';

const { folder } = useWorkspace();
const run = (...words: string[]) => runCommand(entropy, 'entropy <file>', ['entropy', ...words]);
const file = (name: string, text: string) => {
  const path = join(folder(), name);
  writeFileSync(path, text);
  return path;
};

const at = (value: unknown, path: string): number =>
  path.split('.').reduce((v, key) => (v as Record<string, unknown>)[key], value) as number;

describe('perflaw entropy', () => {
  it('of histories', async () => {
    const path = file('h.csv', 'user,item\n1,a\n1,b\n1,a\n1,b\n1,c\n2,c\n2,c\n');
    const result = JSON.parse((await run(path, '--json')).out);
    expect(result).toMatchObject({ users: 2, items: 3, interactions: 7, repeatShare: 3 / 7 });
    expect(result.lempelZiv.phrases).toBeCloseTo((1.14959851 + (2 * Math.log(2)) / 3) / 2, 7);
    const first = approximateEntropy(['a', 'b', 'a', 'b', 'c'], { m: 2 });
    expect(JSON.parse((await run(path, '-m', '2', '--json')).out).apen).toMatchObject({
      m: 2,
      r: 0,
      perUser: first,
    });
    const text = await run(path);
    expect(text.out).toMatch(/ApEn\(1\), pooled/);
    expect(text.out).toMatch(/2 users, 3 items, 7 interactions/);
  });

  it('of histories as a stream: the same', async () => {
    const random = createRandom('stream');
    const rows = Array.from(
      { length: 3000 },
      (_, i) => `u${random.int(40)},${random.int(30)},${i - random.int(50)}`,
    );
    const path = file('stream.csv', `user,item,time\n${rows.join('\n')}\n`);
    await expect(run(path, '--stream')).rejects.toThrow(/is "time" the time\?/);
    const ordered = ['--time', 'time'];
    const whole = JSON.parse((await run(path, ...ordered, '--json')).out);
    const stream = JSON.parse((await run(path, ...ordered, '--stream', '--json')).out);
    expect(stream).toMatchObject({
      users: 40,
      items: 30,
      interactions: 3000,
      repeatShare: whole.repeatShare,
    });
    // Items are numbered otherwise, which the compressor alone can tell.
    for (const value of ['shannon', 'apen.pooled', 'apen.perUser', 'lempelZiv.phrases', 'lempelZiv.prefix'])
      expect(at(stream, value)).toBeCloseTo(at(whole, value), 10);
    for (const m of ['0', '2', '3']) {
      const [whole, stream] = [
        await run(path, ...ordered, '-m', m, '--json'),
        await run(path, ...ordered, '-m', m, '--stream', '--json'),
      ];
      const [one, other] = [JSON.parse(whole.out).apen, JSON.parse(stream.out).apen];
      expect(other.m).toBe(Number(m));
      expect(other.pooled).toBeCloseTo(one.pooled, 10);
      expect(other.perUser).toBeCloseTo(one.perUser, 10);
    }
    expect(stream.warnings).toEqual(whole.warnings);
    await expect(run(path, '--stream', '--user', 'no')).rejects.toThrow(/no column "no"/);
    const text = await run(file('seq.txt', '1 2 3 2 3 2\n2 9 8\n'), '--stream');
    expect(text.out).toMatch(/2 users, 4 items, 7 interactions/);
  });

  it('warns where histories repeat nothing', async () => {
    expect((await run(file('n.csv', 'user,item\n1,a\n1,b\n2,a\n2,c\n'))).err).toMatch(
      /functions of their length/,
    );
  });

  it('has no value, or a warning, where a series says nothing', async () => {
    const found = async (text: string, ...words: string[]) =>
      JSON.parse((await run(file('w.txt', text), '--json', ...words)).out);
    expect(await found('7\n')).toMatchObject({ apen: { value: null }, lempelZiv: { phrases: 0 } });
    expect((await found('7\n')).warnings).toEqual([expect.stringMatching(/do not fit/)]);
    expect((await found('7\n7\n7\n')).warnings).toEqual([expect.stringMatching(/All values are equal/)]);
    expect((await found('1\n2\n3\n')).warnings).toEqual([expect.stringMatching(/and ApEn follow/)]);
    expect((await found('1\n5\n9\n20\n40\n', '-r', '0.5')).warnings).toEqual([
      expect.stringMatching(/No value occurs twice/),
      expect.stringMatching(/within the tolerance/),
    ]);
    expect((await found('1\n2\n1\n2\n')).warnings).toEqual([]);
    // one event a user: nothing follows anything
    const single = file('single.csv', 'user,item\n1,a\n2,b\n');
    for (const words of [[], ['--stream']]) {
      const { apen, warnings } = JSON.parse((await run(single, '--json', ...words)).out);
      expect(apen).toMatchObject({ pooled: null, perUser: null });
      expect(warnings.join()).toMatch(/No history has two events/);
    }
  });

  it('of symbols, one a line: NIST SP 800-22, 2.12.4', async () => {
    const path = file('bits.txt', `${[...'0100110101'].join('\n')}\n`);
    const result = JSON.parse((await run(path, '-m', '3', '--circular', '--json')).out);
    expect(result.apen.value).toBeCloseTo(0.19095425, 8);
    expect(result).toMatchObject({ length: 10, distinct: 2 });
    expect((await run(path, '-m', '3', '--circular')).out).toMatch(/ApEn\(3, 0\)\s+0\.190954/);
  });

  it('of a numeric column, with a tolerance', async () => {
    const values = Array.from({ length: 50 }, (_, i) => [12, 13, 15, 16, 17][i % 5]!);
    const path = file('pulse.csv', `minute,rate\n${values.map((v, i) => `${i},${v}`).join('\n')}\n`);
    const result = JSON.parse((await run(path, '--series', 'rate', '--tolerance-std', '0.9', '--json')).out);
    expect(result.apen.value).toBeCloseTo(0.282456191, 9);
    expect(result.apen.m).toBe(2);
  });

  it('answers mistakes with what to do', async () => {
    const words = file('words.txt', 'a\nb\na\n');
    await expect(run(words, '-r', '0.5')).rejects.toThrow(/value 1, "a", is not a number/);
    await expect(run(words, '-m', '1.5')).rejects.toThrow(/whole number/);
    await expect(run(words, '-m', 'x')).rejects.toThrow('-m needs a number, not "x"');
    await expect(run(file('none.txt', ''))).rejects.toThrow(/empty/);
    await expect(run(join(folder(), 'absent.txt'))).rejects.toThrow(/no such file/);
    const table = file('t.csv', 'user,item\n1,2\n1,3\n');
    await expect(run(table, '--series', 'itm')).rejects.toMatchObject({
      remedy: 'Did you mean --series item?',
    });
    await expect(run(table, '-r', '1')).rejects.toThrow(/--tolerance is for one series/);
  });
});
