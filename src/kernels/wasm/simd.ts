/**
 * Which vector instructions the compiled kernels may use. Two modules are built from one source: plain 128-bit SIMD, and
 * SIMD with fused multiply-adds (relaxed SIMD). On top of the second, V8 can join neighbouring pairs of 128-bit vectors into
 * one of 256 bits where it compiles for a processor with AVX2; every lane then does what it did before, so that values do
 * not depend on it, bit for bit.
 */
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { UserError } from '../../util/errors.js';

/** `relaxed`: fused multiply-adds where the engine has them; `baseline`: plain 128-bit SIMD. Their values differ by rounding. */
export type SimdVariant = 'relaxed' | 'baseline';

export interface Simd {
  variant: SimdVariant;
  /** Whether pairs of vectors are joined. */
  wide: boolean;
}

const CHOICES = ['wide', 'relaxed', 'baseline'];

/** A module with one function of one f32x4.relaxed_madd: valid where the engine runs relaxed SIMD. */
const RELAXED_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 0, 253, 17, 65, 0,
  253, 17, 65, 0, 253, 17, 253, 133, 2, 11,
]);

/**
 * The best that this engine and processor run, or what PERFLAW_SIMD asks for. Sets flags of V8, so it must be called before
 * the kernels are compiled.
 * @throws UserError when PERFLAW_SIMD asks for something unknown.
 */
export function chooseSimd(wanted = process.env['PERFLAW_SIMD']): Simd {
  if (wanted && !CHOICES.includes(wanted))
    throw new UserError(`PERFLAW_SIMD is '${wanted}'`, { remedy: `Set it to one of ${CHOICES.join(', ')}.` });
  if (wanted === 'baseline' || !allowRelaxed()) return { variant: 'baseline', wide: false };
  if (wanted === 'wide' && !hasJoining())
    throw new UserError('PERFLAW_SIMD is wide, which this engine has not', {
      remedy: 'Run Node 24 to 26 on an x64 processor, or leave PERFLAW_SIMD unset.',
    });
  const wide = wanted !== 'relaxed' && hasJoining() && hasAvx2();
  if (wide) setFlagsFromString('--experimental-wasm-revectorize');
  return { variant: 'relaxed', wide };
}

/** Node 22 runs relaxed SIMD, Node 20 behind a flag that may be set until first use. */
function allowRelaxed(): boolean {
  if (WebAssembly.validate(RELAXED_PROBE)) return true;
  // Newer engines know no such flag, and say so on stderr.
  if (nodeMajor() < 22) setFlagsFromString('--experimental-wasm-relaxed-simd');
  return WebAssembly.validate(RELAXED_PROBE);
}

/** The versions of Node on which the joining was tested; before them it finds little to join, and slows the products down. */
function hasJoining(): boolean {
  return nodeMajor() >= 24 && nodeMajor() <= 26 && process.arch === 'x64';
}

function hasAvx2(): boolean {
  if (process.platform !== 'linux') return true; // processors of the last ten years have it
  try {
    return /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));
  } catch {
    return false;
  }
}

function nodeMajor(): number {
  return Number.parseInt(process.versions.node, 10);
}
