// Tiles of the matrix product, whose sums stay in registers. 4 x 8 is the fastest of eight shapes where vectors are 128 bits
// wide and there are sixteen registers. Where the engine joins pairs of vectors into one of 256 bits, 4 x 16 keeps both of
// the processor's multipliers busy; elsewhere its sums do not fit into the registers. Both add in the same order: same bits.
import { madd } from './math';

/** One 4 x 8 tile: C = A panel . B panel (+ initial values). Strides in bytes. */
export function tile8(kc: i32, a: usize, b: usize, c: usize, ldc: usize, initial: usize, stride: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0);
  for (let p = 0; p < kc; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const a0 = v128.load_splat<f32>(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    a += 16;
    b += 32;
  }
  if (initial) {
    c00 = f32x4.add(c00, v128.load(initial));
    c01 = f32x4.add(c01, v128.load(initial, 16));
    initial += stride;
    c10 = f32x4.add(c10, v128.load(initial));
    c11 = f32x4.add(c11, v128.load(initial, 16));
    initial += stride;
    c20 = f32x4.add(c20, v128.load(initial));
    c21 = f32x4.add(c21, v128.load(initial, 16));
    initial += stride;
    c30 = f32x4.add(c30, v128.load(initial));
    c31 = f32x4.add(c31, v128.load(initial, 16));
  }
  v128.store(c, c01, 16);
  v128.store(c, c00);
  c += ldc;
  v128.store(c, c11, 16);
  v128.store(c, c10);
  c += ldc;
  v128.store(c, c21, 16);
  v128.store(c, c20);
  c += ldc;
  v128.store(c, c31, 16);
  v128.store(c, c30);
}

/** One 4 x 16 tile: C = A panel . B panel (+ initial values). Strides in bytes. */
export function tile16(kc: i32, a: usize, b: usize, c: usize, ldc: usize, initial: usize, stride: usize): void {
  let c00 = f32x4.splat(0), c01 = f32x4.splat(0), c02 = f32x4.splat(0), c03 = f32x4.splat(0);
  let c10 = f32x4.splat(0), c11 = f32x4.splat(0), c12 = f32x4.splat(0), c13 = f32x4.splat(0);
  let c20 = f32x4.splat(0), c21 = f32x4.splat(0), c22 = f32x4.splat(0), c23 = f32x4.splat(0);
  let c30 = f32x4.splat(0), c31 = f32x4.splat(0), c32 = f32x4.splat(0), c33 = f32x4.splat(0);
  for (let p = 0; p < kc; p++) {
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const a0 = v128.load_splat<f32>(a);
    c00 = madd(a0, b0, c00);
    c01 = madd(a0, b1, c01);
    c02 = madd(a0, b2, c02);
    c03 = madd(a0, b3, c03);
    const a1 = v128.load_splat<f32>(a, 4);
    c10 = madd(a1, b0, c10);
    c11 = madd(a1, b1, c11);
    c12 = madd(a1, b2, c12);
    c13 = madd(a1, b3, c13);
    const a2 = v128.load_splat<f32>(a, 8);
    c20 = madd(a2, b0, c20);
    c21 = madd(a2, b1, c21);
    c22 = madd(a2, b2, c22);
    c23 = madd(a2, b3, c23);
    const a3 = v128.load_splat<f32>(a, 12);
    c30 = madd(a3, b0, c30);
    c31 = madd(a3, b1, c31);
    c32 = madd(a3, b2, c32);
    c33 = madd(a3, b3, c33);
    a += 16;
    b += 64;
  }
  if (initial) {
    c00 = f32x4.add(c00, v128.load(initial));
    c01 = f32x4.add(c01, v128.load(initial, 16));
    c02 = f32x4.add(c02, v128.load(initial, 32));
    c03 = f32x4.add(c03, v128.load(initial, 48));
    initial += stride;
    c10 = f32x4.add(c10, v128.load(initial));
    c11 = f32x4.add(c11, v128.load(initial, 16));
    c12 = f32x4.add(c12, v128.load(initial, 32));
    c13 = f32x4.add(c13, v128.load(initial, 48));
    initial += stride;
    c20 = f32x4.add(c20, v128.load(initial));
    c21 = f32x4.add(c21, v128.load(initial, 16));
    c22 = f32x4.add(c22, v128.load(initial, 32));
    c23 = f32x4.add(c23, v128.load(initial, 48));
    initial += stride;
    c30 = f32x4.add(c30, v128.load(initial));
    c31 = f32x4.add(c31, v128.load(initial, 16));
    c32 = f32x4.add(c32, v128.load(initial, 32));
    c33 = f32x4.add(c33, v128.load(initial, 48));
  }
  v128.store(c, c01, 16);
  v128.store(c, c00);
  v128.store(c, c03, 48);
  v128.store(c, c02, 32);
  c += ldc;
  v128.store(c, c11, 16);
  v128.store(c, c10);
  v128.store(c, c13, 48);
  v128.store(c, c12, 32);
  c += ldc;
  v128.store(c, c21, 16);
  v128.store(c, c20);
  v128.store(c, c23, 48);
  v128.store(c, c22, 32);
  c += ldc;
  v128.store(c, c31, 16);
  v128.store(c, c30);
  v128.store(c, c33, 48);
  v128.store(c, c32, 32);
}
