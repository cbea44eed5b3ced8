import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { fillDisk, mountSmallDisk } from '../sweep/small-disk.js';
import { homeWith, perflaw, expectRefusal as refusal } from './program.js';

const TINY = `name: tiny
data: {synthetic: {users: 60, items: 40, meanLength: 10}}
model: {dState: 4, maxLength: 10, dim: 4}
training: {epochs: 1, learningRate: 5e-3}
grid: {layers: [1, 2]}
`;

/** What `perflaw sweep` refuses. */
const expectRefusal = (home: string, words: string[], ...patterns: RegExp[]) =>
  refusal(home, ['sweep', ...words], ...patterns);

describe('perflaw sweep refuses', () => {
  it('a misspelt key, with its place and what was meant', () => {
    const home = homeWith({ 'a.yaml': TINY.replace('grid', 'grdi') });
    expectRefusal(home, ['a.yaml'], /a\.yaml:5:1: unknown key "grdi"/, /Did you mean `grid`\?/);
  });
  it('a wrong type, an empty grid and a missing file', () => {
    const home = homeWith({
      'a.yaml': TINY.replace('[1, 2]', 'two'),
      'b.yaml': TINY.replace('[1, 2]', '[]'),
    });
    expectRefusal(home, ['a.yaml'], /a\.yaml:5:16: grid\.layers: expected a list.*got two/);
    expectRefusal(home, ['b.yaml'], /b\.yaml:5:16: grid\.layers: expected at least one value/);
    expectRefusal(home, ['c.yaml'], /c\.yaml: cannot read this sweep file: no such file/);
  });
  it('a data set that is not here, and names the ways to get one', () => {
    const home = homeWith({ 'a.yaml': 'data: ml-100k\n' });
    expectRefusal(
      home,
      ['a.yaml'],
      /a\.yaml:1:7/,
      /perflaw data fetch ml-100k/,
      /--from-file/,
      /--data NAME\|FILE/,
    );
    expectRefusal(home, ['a.yaml', '--data', 'nothing.csv'], /nothing\.csv: no such file/);
  });
  it('a table in which nobody has enough events', () => {
    const home = homeWith({ 'a.yaml': 'data: t.csv\n', 't.csv': 'user,item,time\n1,2,3\n2,3,4\n' });
    expectRefusal(home, ['a.yaml'], /no user|interactions|events/);
  });
  it('unknown options, backends and worker counts', () => {
    const home = homeWith({ 'a.yaml': TINY });
    expectRefusal(home, ['a.yaml', '--dry-rum'], /unknown option --dry-rum/, /Did you mean `--dry-run`/);
    expectRefusal(home, ['a.yaml', '--backend', 'cuda'], /unknown backend "cuda"/, /wasm/);
    expectRefusal(home, ['a.yaml', '--workers', '0'], /--workers must be/);
    expectRefusal(home, ['a.yaml', '--launch', 'slrum'], /unknown launcher "slrum"/, /local, slurm/);
    expectRefusal(home, ['a.yaml', '--detach'], /--detach is for jobs that outlive/, /--launch slurm/);
  });
  it('a folder that cannot be written', () => {
    const home = homeWith({ 'a.yaml': TINY, file: '' });
    expectRefusal(home, ['a.yaml', '--out', 'file/x'], /file\/x\/plan\.json: cannot write this file/);
  });
  it('a folder of another version of the store', () => {
    const home = homeWith({ 'a.yaml': TINY });
    mkdirSync(join(home, 'old'));
    writeFileSync(join(home, 'old', 'plan.json'), '{"schema": 99}');
    expectRefusal(home, ['a.yaml', '--out', 'old'], /another version of perflaw \(schema 99/);
  });
});

describe('perflaw sweep', () => {
  let home: string;
  let first: ReturnType<typeof perflaw>;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), 'perflaw-command-'));
    writeFileSync(join(home, 'tiny.yaml'), TINY);
    first = perflaw(home, 'sweep', 'tiny.yaml', '--json');
    return () => rmSync(home, { recursive: true, force: true });
  });

  it('with --json prints one object on stdout and words on stderr', () => {
    expect(first.code, first.words).toBe(0);
    const answer = JSON.parse(first.out);
    expect(answer).toMatchObject({ name: 'tiny', planned: 2, done: 2, failed: 0, open: 0, kept: 0 });
    expect(answer.trials[0]).toMatchObject({
      status: 'done',
      backend: 'wasm',
      popularity: expect.anything(),
    });
    expect(first.words).toMatch(/\[2\/2\].*test ndcg@10 \S+ \(popularity \S+\)/);
  });

  it('again keeps what is done and names the next command', () => {
    const again = perflaw(home, 'sweep', 'tiny.yaml');
    expect(again.code).toBe(0);
    expect(again.out).toMatch(/2 done \(2 kept from before\)/);
    expect(again.out).toMatch(/Next: perflaw fit/);
    expect(again.out).toMatch(/ndcg@10 +pop +hr@10 +pop +ndcg@10 unmasked/);
    const dry = perflaw(home, 'sweep', 'tiny.yaml', '--dry-run');
    expect(dry.out.match(/cached/g)).toHaveLength(2);
    expect(dry.out).toMatch(/measured in this sweep/);
  });

  it('with --dry-run and --print-config writes nothing', () => {
    const other = homeWith({ 'tiny.yaml': TINY });
    const dry = perflaw(other, 'sweep', 'tiny.yaml', '--dry-run');
    expect(dry.out).toMatch(/2 trials on synthetic, 2 to run/);
    expect(dry.words).toMatch(/layers vary from 1 up, so one layer of mamba4rec has the residual/);
    expect(dry.out).toMatch(
      /FLOPs\/s each \(measured just now on \d layers? of dim 4\), evaluations and starts counted/,
    );
    const config = perflaw(other, 'sweep', 'tiny.yaml', '--print-config', '--backend', 'cpu');
    expect(config.out).toMatch(/^training\.epochs +1 +tiny\.yaml:4:20$/m);
    expect(config.out).toMatch(/^backend +"cpu" +command line$/m);
    expect(readdirSync(other)).toEqual(['tiny.yaml']);
  });

  it('says with --dry-run when it ends on the cores at hand, whatever the threads', {
    timeout: 120_000,
  }, () => {
    const other = homeWith({ 'tiny.yaml': `${TINY}threads: 2\n` });
    const dry = JSON.parse(perflaw(other, 'sweep', 'tiny.yaml', '--dry-run', '--workers', '3', '--json').out);
    expect(dry).toMatchObject({ workers: 3, cores: 6 });
    expect(dry.expectedSeconds).toBeGreaterThan(dry.boundSeconds);
    const auto = JSON.parse(
      perflaw(other, 'sweep', 'tiny.yaml', '--dry-run', '--threads', 'auto', '--json').out,
    );
    expect(auto.cores).toBe(availableParallelism());
    expect(auto.trials.map(({ id }: { id: string }) => id)).toEqual(
      dry.trials.map(({ id }: { id: string }) => id),
    );
    expectRefusal(
      other,
      ['tiny.yaml', '--backend', 'cpu', '--dry-run'],
      /tiny\.yaml:\d+:\d+: trials on cpu have no threads/,
      /--backend wasm/,
    );
    expectRefusal(other, ['tiny.yaml', '--threads', 'many'], /--threads must be auto or a whole number/, /./);
  });

  it('tunes: every setting that varies is shown before and after, and halving races the settings of each size', {
    timeout: 120_000,
  }, () => {
    const text = TINY.replace('epochs: 1, learningRate: 5e-3', 'epochs: 2, patience: 0').concat(
      'tune: {learningRate: [1e-4, 5e-3], dropout: [0, 0.1]}\nhalving: {rungs: [1], eta: 4}\n',
    );
    const other = homeWith({ 'tiny.yaml': text });
    const dry = perflaw(other, 'sweep', 'tiny.yaml', '--dry-run').out;
    const [head, , ...rows] = dry.split('\n');
    expect(head).toMatch(/layers +dim +dropout +learningRate +seed/);
    const cells = rows.slice(0, 8).map((row) => row.trim().split(/ {2,}/).slice(1, 7).join(' '));
    expect(new Set(cells).size).toBe(8);
    expect(dry).toMatch(/8 trials on synthetic, 8 to run/);
    expect(dry).toMatch(/Tuned: dropout, learningRate\. The best by validation ndcg@10 stands for each/);
    const { code, out } = perflaw(other, 'sweep', 'tiny.yaml');
    expect(code).toBe(0);
    expect(out).toMatch(/6 of them ended early by halving/);
    expect(out).toMatch(/dim +dropout +learningRate/);
    const plan = JSON.parse(readFileSync(join(other, 'reports', 'tiny', 'plan.json'), 'utf8'));
    expect(plan.tuned).toEqual(['dropout', 'learningRate']);
    const rowsOf = perflaw(other, 'results', '--columns', 'layers,stopped,dropout,learningRate,tuned').out;
    for (const layers of [1, 2])
      expect(rowsOf.match(new RegExp(`^ +${layers} +epochs .*dropout learningRate$`, 'gm'))).toHaveLength(1);
    expect(perflaw(other, 'results').out).toMatch(/dim +dropout +learningRate +seed/);
    expect(new Set(plan.trials.map(({ label }: { label: string }) => label)).size).toBe(8);
    const fitted = perflaw(other, 'fit', '--bootstrap', '0');
    expect(fitted.words).toMatch(/6 settings ended early by successive halving are tried ones/);
  });

  it('records failing trials, ends with 3 and goes on with the rest', () => {
    const other = homeWith({ 'tiny.yaml': `${TINY}limits: {time: 0.05s}\n` });
    const { code, out } = perflaw(other, 'sweep', 'tiny.yaml');
    expect(code).toBe(3);
    expect(out).toMatch(/Failed: trial [0-9a-f]{10} \(time-limit\): past the time limit/);
    expect(out).toMatch(/2 failed \(again with --retry-failed\)/);
    writeFileSync(join(other, 'tiny.yaml'), TINY);
    expect(perflaw(other, 'sweep', 'tiny.yaml').code).toBe(3);
    expect(perflaw(other, 'sweep', 'tiny.yaml', '--retry-failed').code).toBe(0);
  });

  it('a trial that diverges is a recorded failure, with the remedy wherever people look', () => {
    const text = TINY.replace('epochs: 1, learningRate: 5e-3', 'epochs: 60, patience: 0').replace(
      'layers: [1, 2]',
      'learningRate: [5e-3, 10]',
    );
    const other = homeWith({ 'tiny.yaml': text });
    const { code, out, words } = perflaw(other, 'sweep', 'tiny.yaml');
    expect(code).toBe(3);
    const told =
      /\(not-a-number\): the training diverged: .* at step \d+ \(epoch \d+\), with a learning rate of 10\. Use a smaller rate .*`--learning-rate`.*`clipNorm: 1`.*`warmup: 100`/;
    const results = perflaw(other, 'results').out;
    for (const shown of [out, words, results]) expect(shown.replaceAll(/\s+/g, ' ')).toMatch(told);
    const [, id] = /trial ([0-9a-f]{10}) \(not-a-number\)/.exec(results)!;
    const log = readFileSync(join(other, 'reports', 'tiny', 'trials', id!, 'log.txt'), 'utf8');
    expect(`${out}${words}${log}`).not.toMatch(/fault in perflaw|^\s+at /m);
    expect(perflaw(other, 'report').code).toBe(0);
    const report = readFileSync(join(other, 'reports', 'tiny', 'report.html'), 'utf8');
    expect(report).toContain('the training diverged');
    expect(report).toContain('Use a smaller rate');
  });

  it('says when results of an earlier version of the file are left out', () => {
    // Said, since it is another default where no axis has one layer and more.
    const text = TINY.replace('model: {', 'model: {residual: always, ');
    const other = homeWith({ 'tiny.yaml': text });
    expect(perflaw(other, 'sweep', 'tiny.yaml').code).toBe(0);
    writeFileSync(join(other, 'tiny.yaml'), text.replace('[1, 2]', '[2]'));
    const again = perflaw(other, 'sweep', 'tiny.yaml');
    expect(again.words).toMatch(/1 results in .*tiny belong to an earlier version/);
    expect(again.out).toMatch(/1 done \(1 kept from before\)/);
  });

  it('--watch shows a finished sweep and ends', () => {
    const { code, words } = perflaw(home, 'sweep', 'tiny.yaml', '--watch');
    expect([code, words.includes('Error')]).toEqual([0, false]);
  });

  it('results: a table, conditions, SQL, CSV, Parquet', () => {
    expect(perflaw(home, 'results').out).toMatch(/^id +status +model/);
    const some = perflaw(home, 'results', 'tiny', '--where', 'layers = 2', '--json');
    expect(JSON.parse(some.out)).toMatchObject([{ layers: 2, status: 'done', slice: 'all' }]);
    const asked = perflaw(home, 'results', '--sql', 'select count(*) as n from curves', '--json');
    expect(JSON.parse(asked.out)).toEqual([{ n: 2 }]);
    const csv = perflaw(home, 'results', '--csv').out.trim().split('\n');
    expect(csv).toHaveLength(3);
    expect(csv[0]!.split(',')).toEqual(
      expect.arrayContaining(['slice', 'layers', 'dim', 'hr@10', 'ndcg@10', 'tokens', 'apen']),
    );
    expect(perflaw(home, 'results', '--parquet', 'r.parquet').code).toBe(0);
    expect(readFileSync(join(home, 'r.parquet')).subarray(0, 4).toString()).toBe('PAR1');
    const inTheWay = perflaw(home, 'results', '--parquet', 'reports');
    expect([inTheWay.code, inTheWay.words]).toEqual([2, expect.stringContaining('this is a folder')]);
    expect(existsSync(join(home, 'reports'))).toBe(true);
  });

  it('results: a wrong query, an unknown sweep and a reach for a file are refused', () => {
    for (const [words, pattern] of [
      [['--sql', 'select nope from trials'], /this query does not run.*nope/],
      [['--sql', "select * from read_csv('/etc/hosts')"], /this query does not run/],
      [['tinny'], /Did you mean `tiny`/],
      [['--columns', 'dimm'], /there is no column "dimm"/],
    ] as const) {
      const { code, words: text } = perflaw(home, 'results', ...words);
      expect(text).toMatch(pattern);
      expect(code).toBe(2);
    }
  });

  const disk = mountSmallDisk(256);
  it.skipIf(!disk)('on a full disk says so, ends with 2, and goes on when there is space', () => {
    writeFileSync(join(disk!, 'tiny.yaml'), TINY);
    fillDisk(disk!);
    const full = perflaw(disk!, 'sweep', 'tiny.yaml');
    expect(full.words).toMatch(/no space left on the device/);
    expect(full.words).not.toMatch(/^\s+at /m);
    expect(full.code).toBe(2);
    writeFileSync(join(disk!, 'filler'), '');
    expect(perflaw(disk!, 'sweep', 'tiny.yaml').code).toBe(0);
  });
});
