/**
 * Import of a large file by two builds, in turns: processor time and peak memory of each, and their ratios.
 * node test/bench/import.mjs OTHER/dist/cli.js [--rows 1e6] [--rounds 3] [--text]
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [other, ...options] = process.argv.slice(2);
const value = (name, otherwise) => {
  const at = options.indexOf(name);
  return at < 0 ? otherwise : Number(options[at + 1]);
};
if (!other) throw new Error('name the other build: node test/bench/import.mjs OTHER/dist/cli.js');
const rows = value('--rows', 1e6);
const rounds = value('--rounds', 3);
const isText = options.includes('--text');
const home = mkdtempSync(join(tmpdir(), 'perflaw-import-'));
const path = join(home, 'rows.csv');
let state = 1;
const random = () => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
};
const file = openSync(path, 'w');
writeSync(file, 'user_id,item_id,rating,timestamp\n');
const users = Math.ceil(rows / 100);
for (let done = 0; done < rows; ) {
  let text = '';
  for (const end = Math.min(rows, done + 50_000); done < end; done++) {
    const [user, item] = [Math.floor(random() * users), Math.floor(50_000 * random() ** 2)];
    const time = 1.5e9 + Math.floor(random() * 1e8);
    text += isText
      ? `u${user},B${item}X,${1 + (item % 5)},${new Date(1000 * time).toISOString()}\n`
      : `${user},${item},${1 + (item % 5)},${time}\n`;
  }
  writeSync(file, text);
}
closeSync(file);
const program = new URL('../../dist/cli.js', import.meta.url).pathname;
const measure = (cli) => {
  const words = ['-f', '%U %S %M', process.execPath, cli, 'data', 'import', path, '--name', 'rows'];
  const run = spawnSync('/usr/bin/time', words, {
    encoding: 'utf8',
    env: { ...process.env, PERFLAW_HOME: home },
  });
  if (run.status !== 0) throw new Error(run.stderr);
  const [user, system, peak] = run.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds: user + system, mebibytes: peak / 1024 };
};
execFileSync('/usr/bin/time', ['true']);
const found = { ours: [], other: [] };
for (let round = 0; round < rounds; round++) {
  found.other.push(measure(other));
  found.ours.push(measure(program));
}
const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
for (const key of ['seconds', 'mebibytes']) {
  const [ours, theirs] = ['ours', 'other'].map((who) => median(found[who].map((run) => run[key])));
  console.log(
    `${key}: this build ${ours.toFixed(1)}, the other ${theirs.toFixed(1)}, ratio ${(ours / theirs).toFixed(2)}`,
  );
}
rmSync(home, { recursive: true });
