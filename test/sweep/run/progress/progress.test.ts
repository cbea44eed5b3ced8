import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { fakeRecord, fakeTrial } from '../../../../src/contract/fake.js';
import { workOf } from '../../../../src/sweep/run/estimate.js';
import {
  finishedLine,
  newProgress,
  secondsLeft,
  showProgress,
  windowLines,
} from '../../../../src/sweep/run/progress/progress.js';
import { speedOf } from '../../../../src/sweep/run/share-cores.js';

const PROGRESS = {
  epoch: 2,
  epochs: 4,
  step: 5,
  stepsPerEpoch: 10,
  loss: 5.12345,
  best: 0.0831,
  tokensPerSecond: 6200,
};

function collect(extra: object = {}) {
  let text = '';
  const stream = Object.assign(
    new Writable({
      write(chunk, _, done) {
        text += chunk;
        done();
      },
    }),
    extra,
  );
  return { stream, text: () => text };
}

const ESCAPE = String.fromCharCode(27);

describe('progress', () => {
  const trials = [1, 2, 3].map((seed) => ({ ...fakeTrial({ seed, epochs: 4 }), flops: 2e6 }));

  it('in a window shows counts, running trials, best metric, speed and the time left', () => {
    const state = newProgress('tiny', 2, trials);
    state.records.set(trials[0]!.id, fakeRecord(trials[0]!));
    state.running.set(trials[1]!.id, { trial: trials[1]!, progress: PROGRESS });
    const lines = windowLines(state, 120);
    expect(lines[0]).toMatch(/^tiny .*1\/3 trials, about \d/);
    expect(lines[1]).toMatch(
      /d8 seed 2 .*epoch 2\/4 {2}loss 5\.123 {2}best ndcg@10 \.0831 {2}6\.20k tokens\/s/,
    );
    for (const line of windowLines(state, 60)) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('knows the time left from the speed of finished trials and the work that is open', () => {
    const state = newProgress('tiny', 1, trials);
    expect(secondsLeft(state)).toBeUndefined();
    // 1e6 FLOPs in 32 s; two open trials of 2e6 FLOPs each, one of them 3/8 done.
    state.records.set(trials[0]!.id, fakeRecord(trials[0]!));
    expect(secondsLeft(state)).toBeCloseTo(128, 5);
    state.running.set(trials[1]!.id, { trial: trials[1]!, progress: PROGRESS });
    // It makes 6,200 of its 1,000 x 4 tokens a second.
    expect(secondsLeft(state)).toBeCloseTo(64 + (4000 / 6200) * (1 - 0.375), 5);
    state.workers = 2;
    state.cores = 2;
    // Its core is of no use to a trial that is too small for threads.
    expect(secondsLeft(state)).toBeCloseTo(64, 5);
    // A large one has it once it is done.
    state.trials = trials.map((trial) => ({
      ...trial,
      config: { ...trial.config, backend: 'wasm', model: { ...trial.config.model, dim: 256 } },
    }));
    const ended = (4000 / 6200) * (1 - 0.375);
    expect(secondsLeft(state)).toBeCloseTo(ended + (64 - ended) / speedOf(2), 5);
  });

  it('does not take the FLOPs a second of small models for those of large ones', () => {
    // A layer of dim 8 and three of dim 64, as the quickstart has them: FLOPs a token 1 to 52, seconds a token 1 to 7.
    const { config } = trials[0]!;
    const small = workOf({ config, parameters: 3920, flops: 23.4e3 });
    const model = { ...config.model, layers: 3 };
    const large = workOf({ config: { ...config, model }, parameters: 208_000, flops: 1.22e6 });
    expect(large / small).toBeGreaterThan(7);
    expect(large / small).toBeLessThan(20);
  });

  it('before any trial is finished takes the speed of a running one', () => {
    const state = newProgress('tiny', 1, trials.slice(0, 1));
    state.running.set(trials[0]!.id, {
      trial: trials[0]!,
      progress: { ...PROGRESS, epoch: 1, step: 0, tokensPerSecond: 100 },
    });
    // 1,000 tokens an epoch, 4 epochs, 100 tokens a second.
    expect(secondsLeft(state)).toBeCloseTo(40, 5);
  });

  it('away from a terminal is a line a finished trial, beside the baseline, without escapes', () => {
    const out = collect();
    const state = newProgress('tiny', 2, trials);
    const view = showProgress(state, { stream: out.stream });
    view.observer.started?.(trials[0]!);
    view.observer.progress?.(trials[0]!, PROGRESS);
    view.observer.finished?.(trials[0]!, fakeRecord(trials[0]!), false);
    view.observer.finished?.(trials[1]!, fakeRecord(trials[1]!), true);
    view.close();
    expect(out.text()).toBe('[1/3] d8 seed 1: test ndcg@10 .2500 (popularity .2500), 32 s\n');
    expect(state.records.size).toBe(2);
  });

  it('says why a trial failed', () => {
    const { status: _s, result: _r, popularity: _p, slice: _l, ...base } = fakeRecord(trials[0]!);
    const failed = {
      ...base,
      status: 'failed' as const,
      reason: 'out-of-memory' as const,
      message: 'past the limit',
    };
    expect(finishedLine(trials[0]!, failed)).toBe('d8 seed 1: failed (out-of-memory): past the limit');
  });

  it('on a terminal draws a window, in colour unless NO_COLOR is set', () => {
    for (const [environment, coloured] of [
      [{ TERM: 'xterm' }, true],
      [{ TERM: 'xterm', NO_COLOR: '1' }, false],
    ] as const) {
      const out = collect({ isTTY: true, columns: 100, rows: 30 });
      const view = showProgress(newProgress('tiny', 2, trials), { stream: out.stream, environment });
      view.observer.note?.('something to know');
      view.close();
      expect(out.text()).toContain('something to know');
      expect(out.text()).toContain('0/3 trials');
      // Colours are SGR codes, which end in m; the window itself moves the cursor by others.
      expect(new RegExp(`${ESCAPE}\\[[0-9;]*m`).test(out.text())).toBe(coloured);
    }
  });
});
