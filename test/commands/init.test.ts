/** `perflaw init` as a person types it: the file it leaves, what it says, and what it refuses. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import * as init from '../../src/commands/init.js';
import * as sweep from '../../src/commands/sweep.js';
import { generateSynthetic } from '../../src/data/synthetic.js';
import { describeError, UserError } from '../../src/util/errors.js';
import { runCommand, useWorkspace } from './run.js';

// what is measured on a busy machine would refuse what an idle one takes
vi.mock('../../src/sweep/run/pace/probe.js', () => ({ probe: async () => undefined }));

const { folder } = useWorkspace();
const run = (...words: string[]) => runCommand(init, 'init <data>', ['init', ...words]);
const at = (name: string) => join(folder(), name);

/** Histories of 300 users as a table; `header` names its columns. */
function clicks(name: string, header = 'user,item,time'): string {
  const { offsets, items, numUsers, timestamps } = generateSynthetic({
    users: 300,
    items: 80,
    meanLength: 12,
  });
  const rows: string[] = [];
  for (let u = 0; u < numUsers; u++)
    for (let i = offsets[u]!; i < offsets[u + 1]!; i++) rows.push(`${u},i${items[i]},${timestamps![i]}`);
  writeFileSync(at(name), `${header}\n${rows.join('\n')}\n`);
  return at(name);
}

async function refusal(...words: string[]): Promise<string> {
  const error: unknown = await run(...words).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).exitCode).toBe(2);
  return describeError(error);
}

describe('perflaw init', () => {
  it('writes a file that the sweep command takes, and says what was left open', async () => {
    const file = at('clicks.yaml');
    const { code, out } = await run(relative('.', clicks('clicks.csv')), '--out', file);
    expect(code).toBe(0);
    expect(out).toMatch(/\d+ trials, at most .* of 4 h 00 min with \d+ workers/);
    expect(out).toContain('Nothing else being said: 4 hours (--hours), parameters up to');
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(/^data: clicks\.csv$/m); // from the file's own folder
    expect(text).toMatch(/^# Made by: perflaw init \S+clicks\.csv --out \S+$/m);
    const plan = await runCommand(sweep, 'sweep <file>', ['sweep', file, '--dry-run', '--json']);
    expect(plan.code).toBe(0);
    const { trials, expectedSeconds } = JSON.parse(plan.out);
    expect(trials.length).toBe(Number(/(\d+) trials/.exec(out)![1]));
    expect(expectedSeconds).toBeLessThanOrEqual(4 * 3600);
  });

  it('with --json answers with the file and what it comes to', async () => {
    const { out } = await run(
      'synthetic',
      '--hours',
      '3min',
      '--params',
      '60k',
      '--out',
      at('s.yaml'),
      '--json',
    );
    const answer = JSON.parse(out);
    expect(answer).toMatchObject({
      name: 's',
      hours: 0.05,
      params: 60_000,
      text: readFileSync(at('s.yaml'), 'utf8'),
    });
    expect(answer.seconds).toBeLessThanOrEqual(180);
    expect(answer.text).toMatch(/^ {2}params: 60k$/m);
  });

  it('never replaces a file or a sweep unasked', async () => {
    const file = at('kept.yaml');
    writeFileSync(file, 'mine');
    const words = ['synthetic', '--hours', '.05', '--out', file];
    expect(await refusal(...words)).toMatch(
      /kept\.yaml: this file is there already\n.*--out other\.yaml.*--force/,
    );
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await run(...words, '--force');
    expect(readFileSync(file, 'utf8')).toContain('name: kept');
    mkdirSync(at('reports/other'), { recursive: true });
    writeFileSync(at('reports/other/plan.json'), '{}');
    expect(await refusal('synthetic', '--out', at('other.yaml'))).toMatch(
      /a sweep named other has results there/,
    );
    expect(existsSync(at('other.yaml'))).toBe(false);
  });

  it.each([
    [['--hours', '0'], /--hours: "0" is no time above 0\n.*30min/],
    [['--hours', 'long'], /--hours: "long" is no time/],
    [['--params', 'many'], /--params: "many" is no number of parameters\n.*50M/],
    [
      ['--params', '100'],
      /--params: 100 parameters hold no models to compare: .* of which the table of 500 items takes 2\.00k/,
    ],
    [['--hours', '1s'], /--hours: 0\.00028 hours are too few/],
    [['--metric', 'auc'], /--metric: "auc" is not measured\n.*hr@K, ndcg@K and mrr@K/],
    [['--metric', 'hr@600'], /cut-off 600 is not below the number of items, 500/],
    [['--out', 'a b.yaml'], /--out: "a b" cannot name a sweep/],
  ])('refuses %j before anything is written', async (words, message) => {
    const out = words.includes('--out') ? [] : ['--out', at('none.yaml')];
    expect(await refusal('synthetic', ...words, ...out)).toMatch(message);
    expect(existsSync(at('none.yaml'))).toBe(false);
  });

  it('says how to go on where columns must be named, and where the data is not there', async () => {
    const path = clicks('odd.csv', 'alpha,beta,gamma');
    expect(await refusal(path, '--out', at('odd.yaml'))).toMatch(/perflaw data import \S+odd\.csv --user/);
    expect(await refusal('nothing', '--out', at('n.yaml'))).toContain('there is no data set "nothing"');
    expect(await refusal('ml-1m', '--out', at('n.yaml'))).toContain('perflaw data fetch ml-1m');
  });
});
