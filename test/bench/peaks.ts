/**
 * What the core at hand can do from WebAssembly, to hold kernels against: multiply-adds in vectors of 128 bits and of two that V8
 * joins, and bytes a second out of memory. Least time of many short rounds, so that a busy machine does not count.
 */
import asc from 'assemblyscript/asc';

export interface Peaks {
  /** GFLOP/s with single and with joined vectors. */
  single: number;
  joined: number;
  /** GB/s read out of 64 MiB, and read and written. */
  read: number;
  copied: number;
}

const CHAINS = [0, 1, 2, 3, 4, 5, 6, 7];
const ROUNDS = 20_000;
const BYTES = 2 ** 26;

function source(): string {
  const all = (text: (i: number) => string) => CHAINS.map(text).join('\n');
  return `
    export function single(n: i32, at: usize): void {
      const x = v128.load(at, 256), y = v128.load(at, 288);
      ${all((i) => `let a${i} = v128.load(at, ${32 * i});`)}
      for (let i = 0; i < n; i++) {
        ${all((i) => `a${i} = f32x4.relaxed_madd(x, y, a${i});`)}
      }
      ${all((i) => `v128.store(at, a${i}, ${32 * i});`)}
    }
    export function joined(n: i32, at: usize): void {
      const x = v128.load(at, 256), y = v128.load(at, 288), u = v128.load(at, 272), v = v128.load(at, 304);
      ${all((i) => `let a${i} = v128.load(at, ${32 * i}), b${i} = v128.load(at, ${32 * i + 16});`)}
      for (let i = 0; i < n; i++) {
        ${all((i) => `a${i} = f32x4.relaxed_madd(x, y, a${i}); b${i} = f32x4.relaxed_madd(u, v, b${i});`)}
      }
      ${all((i) => `v128.store(at, b${i}, ${32 * i + 16}); v128.store(at, a${i}, ${32 * i});`)}
    }
    export function read(bytes: usize, at: usize): f32 {
      let a = f32x4.splat(0), b = a, c = a, d = a;
      for (const end = at + bytes; at < end; at += 64) {
        a = f32x4.add(a, v128.load(at));
        b = f32x4.add(b, v128.load(at, 16));
        c = f32x4.add(c, v128.load(at, 32));
        d = f32x4.add(d, v128.load(at, 48));
      }
      return f32x4.extract_lane(f32x4.add(f32x4.add(a, b), f32x4.add(c, d)), 0);
    }
    export function copy(bytes: usize, from: usize, to: usize): void { memory.copy(to, from, bytes); }`;
}

/** @throws Error when the engine has no relaxed SIMD, or the source does not compile. */
export async function measurePeaks(): Promise<Peaks> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    [
      'peaks.ts',
      '-O3',
      '--runtime',
      'stub',
      '--importMemory',
      '--noAssert',
      '--outFile',
      'peaks.wasm',
    ].concat(['simd', 'relaxed-simd'].flatMap((feature) => ['--enable', feature])),
    {
      readFile: (name) => (name === 'peaks.ts' ? source() : null),
      writeFile: (name, contents) => {
        if (name === 'peaks.wasm') binary = contents as Uint8Array;
      },
      listFiles: () => [],
    },
  );
  if (error || !binary) throw new Error(`the source of the peaks does not compile: ${stderr.toString()}`);
  const memory = new WebAssembly.Memory({ initial: (2 * BYTES) / 65_536 + 1 });
  const module = await WebAssembly.compile(binary as Uint8Array<ArrayBuffer>);
  // Pages that were never written are all one page of zeros.
  new Float32Array(memory.buffer).fill(1);
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  const kernels = exports as Record<'single' | 'joined' | 'read' | 'copy', (...numbers: number[]) => number>;
  const least = (work: () => void, rounds: number) => {
    let seconds = Number.POSITIVE_INFINITY;
    for (let round = 0; round < rounds; round++) {
      const begun = performance.now();
      work();
      seconds = Math.min(seconds, (performance.now() - begun) / 1000);
    }
    return seconds;
  };
  const flops = 2 * 4 * CHAINS.length * ROUNDS;
  return {
    single: flops / least(() => kernels.single(ROUNDS, 1024), 300) / 1e9,
    joined: (2 * flops) / least(() => kernels.joined(ROUNDS, 1024), 300) / 1e9,
    read: BYTES / least(() => kernels.read(BYTES, 0), 20) / 1e9,
    copied: (2 * BYTES) / least(() => kernels.copy(BYTES, 0, BYTES), 20) / 1e9,
  };
}
