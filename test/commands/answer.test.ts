import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { homeWith, perflaw, expectRefusal as refusal } from './program.js';

const SMALL = `name: mine
data: {synthetic: {users: 60, items: 40, meanLength: 10}}
model: {dState: 4, maxLength: 10}
training: {epochs: 1, learningRate: 5e-3}
grid: {layers: [1, 2], dim: [4, 8, 12]}
goal: {params: 10k, hours: 1}
`;

/** What `perflaw answer` refuses. */
const expectRefusal = (home: string, words: string[], ...patterns: RegExp[]) =>
  refusal(home, ['answer', ...words], ...patterns);

describe('perflaw answer', () => {
  it('goes from a table to what to train and a report, and the same again trains nothing', () => {
    const rows = Array.from({ length: 60 }, (_, u) =>
      Array.from({ length: 10 }, (_, i) => `${u},i${(7 * u + 3 * i + ((u * i) % 5)) % 40},${1e9 + 60 * i}`),
    );
    const home = homeWith({ 'clicks.csv': `user,item,time\n${rows.flat().join('\n')}\n` });
    const first = perflaw(home, 'answer', 'clicks.csv', '--hours', '30s', '--params', '4k');
    expect(first.code, first.words).toBe(0);
    expect(readFileSync(join(home, 'clicks.yaml'), 'utf8')).toMatch(/^data: clicks\.csv$/m);
    expect(first.words).toMatch(/^clicks\.yaml: \d+ trials, at most/m);
    expect(first.out).toMatch(/\d+ of \d+ trials done/);
    expect(first.out).toMatch(/Best ndcg@10 within 4\.00k parameters: layers \d, dim \d/);
    const lines = first.out.trimEnd().split('\n');
    expect(lines.at(-2)).toBe('Report:  reports/clicks/report.html');
    expect(existsSync(join(home, 'reports/clicks/report.html'))).toBe(true);

    const again = perflaw(home, 'answer', 'clicks.csv', '--json');
    expect(again.code).toBe(0);
    expect(again.words).toMatch(
      /clicks\.yaml is there already: going on with it \(at most 4\.00k parameters, 30 s\)/,
    );
    const answer = JSON.parse(again.out);
    expect(answer).toMatchObject({ name: 'clicks', goal: { params: 4000 }, sweep: { failed: 0 } });
    expect(answer.sweep.kept).toBe(answer.sweep.done);
    expect(answer.prediction.best.params).toBeLessThanOrEqual(4000);
    expect(answer.report.page).toMatch(/report\.html$/);

    // The data changed meanwhile: said, and kept apart.
    writeFileSync(join(home, 'clicks.csv'), `user,item,time\n${rows.slice(5).flat().join('\n')}\n`);
    const changed = perflaw(home, 'answer', 'clicks.csv');
    expect(changed.code).toBe(2);
    expect(changed.words).toMatch(/clicks\.csv: the data is not what it was.*\n.*--force.*--out other\.yaml/);
  }, 300_000);

  it('goes on with a file that a person wrote or changed', () => {
    const home = homeWith({ 'mine.yaml': SMALL });
    const { code, out, words } = perflaw(home, 'answer', 'synthetic', '--out', 'mine.yaml');
    expect(code, words).toBe(0);
    expect(out).toMatch(/Best ndcg@10 within 10\.0k parameters/);
    expect(readFileSync(join(home, 'mine.yaml'), 'utf8')).toBe(SMALL);
  });

  it('refuses a file that was made for something else, and says what to do', () => {
    const home = homeWith({
      'mine.yaml': SMALL,
      'none.yaml': SMALL.replace(/goal.*\n/, ''),
      't.csv': 'user,item\n',
    });
    const out = ['--out', 'mine.yaml'];
    expectRefusal(
      home,
      ['synthetic', ...out, '--hours', '2'],
      /mine\.yaml:6:7: .* made for 1 h 00 min, not 2 h 00 min/,
      /--force/,
    );
    expectRefusal(
      home,
      ['synthetic', ...out, '--params', '20k', '--hours', '1'],
      /10\.0k parameters, not 20\.0k/,
    );
    expectRefusal(home, ['synthetic', ...out, '--metric', 'hr@10'], /another metric, not hr@10/);
    expectRefusal(home, ['t.csv', ...out], /mine\.yaml:2:7: this sweep file is for other data/);
    expectRefusal(
      home,
      ['synthetic', '--out', 'none.yaml'],
      /none\.yaml: this sweep file has no goal/,
      /goal: \{params/,
    );
  });

  it('refuses what cannot be answered before anything is trained', () => {
    const home = homeWith();
    expectRefusal(home, ['synthetic', '--params', '100'], /100 parameters hold no models to compare/);
    expectRefusal(home, ['synthetic', '--hours', '1s'], /are too few: the smallest sweep worth running/);
    expectRefusal(home, ['synthetic', '--metric', 'auc'], /"auc" is not measured/);
    expectRefusal(home, ['nothing.csv'], /no such file or data set/);
    expectRefusal(home, ['synthetic', '--watch'], /synthetic\.yaml: nothing to watch/);
    expectRefusal(home, ['synthetic', '--watch', '--force'], /--watch only looks on/);
    expect(existsSync(join(home, 'synthetic.yaml'))).toBe(false);
  });
});
