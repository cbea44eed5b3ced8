/** Trials as MLflow runs: the layout of its file store, and MLflow's own reading of it where it is installed. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { exportMlflow } from '../../../src/sweep/results/mlflow.js';
import { SweepStore } from '../../../src/sweep/store/store.js';
import { storeSweep } from '../../report/stored-sweep.js';

function recordedTrials(path: string) {
  const store = new SweepStore(path);
  const plan = store.readPlan();
  return plan.trials.flatMap((trial) => {
    const found = store.readTrial(trial.id, plan.numericVersion);
    return found.state === 'done' || found.state === 'failed' ? [{ trial, record: found.record }] : [];
  });
}

describe('MLflow runs', () => {
  let trials: ReturnType<typeof recordedTrials>;
  let folder: string;
  beforeEach(() => {
    const home = temporaryFolder();
    trials = recordedTrials(storeSweep(home, 'simulated', { layers: [1, 2], dims: [16], open: 1 }));
    folder = join(home, 'mlruns');
  });
  const filesOf = (path: string): Record<string, string> =>
    Object.fromEntries(
      readdirSync(path, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => [
          join(entry.parentPath, entry.name),
          readFileSync(join(entry.parentPath, entry.name), 'utf8'),
        ]),
    );

  it('hold every setting, result and curve of a trial', () => {
    const { path, runs } = exportMlflow('simulated', trials, folder);
    expect(runs).toBe(trials.length);
    const { trial, record } = trials.find((one) => one.record.status === 'done')!;
    const run = readdirSync(path)
      .map((name) => join(path, name))
      .find(
        (name) =>
          existsSync(join(name, 'tags')) &&
          readFileSync(join(name, 'tags/perflaw.trial'), 'utf8') === trial.id,
      )!;
    expect(parse(readFileSync(join(run, 'meta.yaml'), 'utf8'))).toMatchObject({
      status: 3,
      run_name: trial.label,
      start_time: Date.parse(record.startedAt),
      lifecycle_stage: 'active',
    });
    expect(readFileSync(join(run, 'params/dim'), 'utf8')).toBe(String(record.config.model.dim));
    if (record.status !== 'done') throw new Error('not reached');
    const [, value] = readFileSync(join(run, 'metrics/ndcg_at_10'), 'utf8').split(' ');
    expect(Number(value)).toBe(record.result.test.masked['ndcg@10']);
    const losses = readFileSync(join(run, 'metrics/loss'), 'utf8').trim().split('\n');
    expect(losses.map((line) => Number(line.split(' ')[1]))).toEqual(record.result.curve.map((e) => e.loss));
  });

  it('are the same when exported again, and join an experiment of their name', () => {
    const { path } = exportMlflow('simulated', trials, folder);
    const before = filesOf(path);
    exportMlflow('simulated', trials, folder);
    expect(filesOf(path)).toEqual(before);
    const other = join(folder, '..', 'other');
    mkdirSync(join(other, '7'), { recursive: true });
    writeFileSync(join(other, '7', 'meta.yaml'), 'experiment_id: "7"\nname: simulated\n');
    expect(exportMlflow('simulated', trials, other).path).toBe(join(other, '7'));
  });

  it('are refused where the folder is a file or an experiment is damaged', () => {
    writeFileSync(join(folder, '..', 'a-file'), '');
    expect(() => exportMlflow('simulated', trials, join(folder, '..', 'a-file'))).toThrow(/this is a file/);
    mkdirSync(join(folder, '7'), { recursive: true });
    writeFileSync(join(folder, '7', 'meta.yaml'), 'name: [');
    expect(() => exportMlflow('simulated', trials, folder)).toThrow(/cannot be read/);
  });

  const python = process.env['PERFLAW_PYTHON'] ?? 'python3';
  const hasMlflow = spawnSync(python, ['-c', 'import mlflow']).status === 0;
  if (!hasMlflow)
    console.warn('skipped: MLflow reads the runs (no Python with mlflow; name one in PERFLAW_PYTHON)');
  it.skipIf(!hasMlflow)('are read by MLflow', () => {
    exportMlflow('simulated', trials, folder);
    const script = `
import json, sys
from mlflow.tracking import MlflowClient
client = MlflowClient('file://' + sys.argv[1])
found = [e for e in client.search_experiments() if e.name == 'simulated'][0]
runs = client.search_runs([found.experiment_id])
print(json.dumps({r.data.tags['perflaw.trial']: [r.info.status, r.data.metrics.get('ndcg_at_10'), r.data.params['dim']] for r in runs}))`;
    const { stdout, stderr } = spawnSync(python, ['-c', script, folder], {
      encoding: 'utf8',
      env: { ...process.env, MLFLOW_ALLOW_FILE_STORE: 'true' },
    });
    const expected = trials.map(({ trial, record }) => [
      trial.id,
      record.status === 'done'
        ? ['FINISHED', record.result.test.masked['ndcg@10'], String(record.config.model.dim)]
        : ['FAILED', null, String(record.config.model.dim)],
    ]);
    expect(JSON.parse(stdout || `"${stderr}"`)).toEqual(Object.fromEntries(expected));
  });
});
