import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../../src/contract/fake.js';
import { type Ending, TrialExit } from '../../../src/sweep/launch/launcher.js';
import { failureReason, logSize } from '../../../src/sweep/run/failure.js';
import { nextStep, verdict } from '../../../src/sweep/run/verdict.js';

const died = (signal: string | null, code: number | null = null): Ending => ({ code, signal });

/** What V8, WebAssembly and the system say when there is no memory left. */
const OUT_OF_MEMORY = [
  'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory',
  'FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed',
  'RangeError: Array buffer allocation failed',
  'RangeError: Invalid typed array length: 9007199254740991',
  'RangeError: WebAssembly.Memory.grow(): Maximum memory size exceeded',
  'Aborted(Cannot enlarge memory arrays to size 2147487744 bytes (OOM))',
];

describe('what a process died of', () => {
  it.each(OUT_OF_MEMORY)('is lack of memory where it says "%s"', (text) => {
    const path = join(temporaryFolder(), 'log.txt');
    writeFileSync(path, `epoch 1\n${text}\n`);
    expect(verdict(died('SIGABRT'), { path, from: 0 }, {}, false).reason).toBe('out-of-memory');
    expect(verdict(died(null, 134), { path, from: 0 }, {}, false).reason).toBe('out-of-memory');
    expect(failureReason(new Error(text))).toBe('out-of-memory');
  });

  it('is judged by its own words, not by those of an earlier attempt in the same log', () => {
    const path = join(temporaryFolder(), 'log.txt');
    writeFileSync(path, `${OUT_OF_MEMORY[0]}\n`);
    const from = logSize(path);
    appendFileSync(path, 'TypeError: x is not a function\n');
    expect(verdict(died(null, 1), { path, from }, {}, false)).toEqual({
      reason: 'error',
      message: 'ended with code 1: TypeError: x is not a function',
    });
  });

  it('is lack of memory where the system killed for it, else a kill; a crash is a crash', () => {
    const log = { path: join(temporaryFolder(), 'none'), from: 0 };
    expect(verdict(died('SIGKILL'), log, {}, true).reason).toBe('out-of-memory');
    expect(verdict(died('SIGKILL'), log, {}, false).reason).toBe('killed');
    expect(verdict(died('SIGSEGV'), log, {}, false).message).toMatch(/crashed \(SIGSEGV\)/);
  });
});

describe('what is done about it', () => {
  const now = { stopping: false, advanced: false, restarts: 0 };
  const killed = died('SIGKILL');
  it.each([
    ['a job that goes on without us', { ...died(null), fate: 'left' as const }, now, 'leave'],
    ['a job that was withdrawn', { ...died(null), fate: 'withdrawn' as const }, now, 'leave'],
    ['a full disk', died(null, TrialExit.diskFull), { ...now, stopping: true }, 'disk full'],
    ['whatever it was, while the sweep stops', killed, { ...now, stopping: true }, 'leave'],
    ['a rung', died(null, TrialExit.rung), now, 'take turn'],
    ['a kill after a rung was written', killed, { ...now, advanced: true, restarts: 2 }, 'take turn'],
    [
      'a displaced job, however often',
      { ...killed, fate: 'displaced' as const },
      { ...now, restarts: 9 },
      'go on',
    ],
    ['a kill', killed, now, 'restart'],
    ['a second kill', killed, { ...now, restarts: 1 }, 'restart'],
    ['a third kill', killed, { ...now, restarts: 2 }, 'fail'],
    ['somebody who stopped the trial alone', died(null, TrialExit.interrupted), now, 'restart'],
    ['a trial that somebody else holds', died(null, TrialExit.held), { ...now, restarts: 9 }, 'go on'],
    ['an error', died(null, 1), now, 'fail'],
  ])('%s', (_, ending, state, expected) => {
    const { reason } = verdict(ending, { path: '', from: 0 }, {}, false);
    const next = nextStep(ending, reason, state);
    expect(next.step === 'go on' && next.restart ? 'restart' : next.step).toBe(expected);
  });
});
