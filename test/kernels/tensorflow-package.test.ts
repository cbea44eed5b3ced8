/** What a user reads when the package that brings libtensorflow is missing, of another version, or does not load. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openBackend } from '../../src/kernels/backend.js';
import { findTensorflow } from '../../src/kernels/tensorflow.js';
import { UserError } from '../../src/util/errors.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'perflaw-tensorflow-'));
  vi.stubEnv('PERFLAW_TENSORFLOW', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

/** A package of that name in the folder. */
function install(name: string, version: string, code: string): void {
  const place = join(folder, 'node_modules', name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version, main: 'index.cjs' }));
  writeFileSync(join(place, 'index.cjs'), code);
}

async function refusal(): Promise<UserError> {
  const error = await openBackend('tensorflow').catch((e) => e);
  expect(error).toBeInstanceOf(UserError);
  return error;
}

it('missing: says where it looked, how to add it, and what computes instead', async () => {
  const { message, remedy } = await refusal();
  expect(message).toContain(`a package that is not installed in ${folder} (PERFLAW_TENSORFLOW)`);
  expect(remedy).toContain(`npm install @tensorflow/tfjs-node@${tf.version.tfjs}`);
  expect(remedy).toContain('--backend wasm');
});

it('of another version: names both', async () => {
  install('@tensorflow/tfjs-node', '3.21.1', '');
  const { message, remedy } = await refusal();
  expect(message).toBe(
    `@tensorflow/tfjs-node is of version 3.21.1, and this program of tfjs ${tf.version.tfjs}`,
  );
  expect(remedy).toContain(`@tensorflow/tfjs-node@${tf.version.tfjs}`);
});

it('does not load: passes the reason on', async () => {
  install('@tensorflow/tfjs-node', tf.version.tfjs, 'throw new Error("libtensorflow.so.2: cannot open")');
  const { message, place, remedy } = await refusal();
  expect(message).toContain('is installed but does not load: libtensorflow.so.2: cannot open');
  expect(place).toContain(folder);
  expect(remedy).toContain('npm rebuild @tensorflow/tfjs-node');
  expect(remedy).not.toContain('CUDA');
});

it('the package with a GPU comes first, and its remedy names CUDA', async () => {
  install('@tensorflow/tfjs-node', tf.version.tfjs, '');
  install('@tensorflow/tfjs-node-gpu', tf.version.tfjs, 'throw new Error("libcudart.so.11.0: cannot open")');
  expect(findTensorflow()?.name).toBe('@tensorflow/tfjs-node-gpu');
  expect((await refusal()).remedy).toContain('CUDA 11.2 and cuDNN 8.1');
});
