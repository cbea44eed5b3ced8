// Constants of the elementary functions. Polynomials are weighted minimax fits made for this file (errors stated beside each).

/** Decays lie within 2^+-DECAY_RANGE: products of two stay far from the subnormal numbers, on which processors are slow. */
// @ts-ignore: decorator
@inline export const DECAY_RANGE: i32 = 60;

/**
 * The constants of the elementary functions (math.ts), in memory, each read into all lanes: V8 builds a constant vector anew wherever it is used
 * (three instructions in Node 24), while this is one load, and one too for a pair of vectors that it joins.
 */
// @ts-ignore: decorator
@unmanaged
export class Coefficients {
  // @ts-ignore: decorator
  @inline get one(): v128 {
    return v128.load32_splat(changetype<usize>(this), 0);
  }
  // @ts-ignore: decorator
  @inline get half(): v128 {
    return v128.load32_splat(changetype<usize>(this), 4);
  }
  /** 1.5 * 2^23: adding it rounds to the nearest integer and leaves that integer in the low bits. */
  // @ts-ignore: decorator
  @inline get round(): v128 {
    return v128.load32_splat(changetype<usize>(this), 8);
  }
  /** 2^f on [-0.5, 0.5] as 1 + f q(f): exactly 1 at 0, so that a decay of zero keeps a state for ever. Relative error 9.2e-8. */
  // @ts-ignore: decorator
  @inline get exp1(): v128 {
    return v128.load32_splat(changetype<usize>(this), 12);
  }
  // @ts-ignore: decorator
  @inline get exp2(): v128 {
    return v128.load32_splat(changetype<usize>(this), 16);
  }
  // @ts-ignore: decorator
  @inline get exp3(): v128 {
    return v128.load32_splat(changetype<usize>(this), 20);
  }
  // @ts-ignore: decorator
  @inline get exp4(): v128 {
    return v128.load32_splat(changetype<usize>(this), 24);
  }
  // @ts-ignore: decorator
  @inline get exp5(): v128 {
    return v128.load32_splat(changetype<usize>(this), 28);
  }
  /** Where e^v is cut off. */
  // @ts-ignore: decorator
  @inline get lowest(): v128 {
    return v128.load32_splat(changetype<usize>(this), 32);
  }
  // @ts-ignore: decorator
  @inline get highest(): v128 {
    return v128.load32_splat(changetype<usize>(this), 36);
  }
  // @ts-ignore: decorator
  @inline get log2e(): v128 {
    return v128.load32_splat(changetype<usize>(this), 40);
  }
  /** -ln 2 in two parts, the first exact in few bits. */
  // @ts-ignore: decorator
  @inline get ln2a(): v128 {
    return v128.load32_splat(changetype<usize>(this), 44);
  }
  // @ts-ignore: decorator
  @inline get ln2b(): v128 {
    return v128.load32_splat(changetype<usize>(this), 48);
  }
  /** Where decays are cut off, as powers of two plus `round`. */
  // @ts-ignore: decorator
  @inline get least(): v128 {
    return v128.load32_splat(changetype<usize>(this), 52);
  }
  // @ts-ignore: decorator
  @inline get most(): v128 {
    return v128.load32_splat(changetype<usize>(this), 56);
  }
  /** atanh(s) / s as a polynomial in s^2 on [0, 1/9], error 1e-10. */
  // @ts-ignore: decorator
  @inline get atanh1(): v128 {
    return v128.load32_splat(changetype<usize>(this), 60);
  }
  // @ts-ignore: decorator
  @inline get atanh2(): v128 {
    return v128.load32_splat(changetype<usize>(this), 64);
  }
  // @ts-ignore: decorator
  @inline get atanh3(): v128 {
    return v128.load32_splat(changetype<usize>(this), 68);
  }
  // @ts-ignore: decorator
  @inline get atanh4(): v128 {
    return v128.load32_splat(changetype<usize>(this), 72);
  }
  // @ts-ignore: decorator
  @inline get atanh5(): v128 {
    return v128.load32_splat(changetype<usize>(this), 76);
  }
  // @ts-ignore: decorator
  @inline get erf1(): v128 {
    return v128.load32_splat(changetype<usize>(this), 80);
  }
  // @ts-ignore: decorator
  @inline get erf2(): v128 {
    return v128.load32_splat(changetype<usize>(this), 84);
  }
  // @ts-ignore: decorator
  @inline get erf3(): v128 {
    return v128.load32_splat(changetype<usize>(this), 88);
  }
  // @ts-ignore: decorator
  @inline get erf4(): v128 {
    return v128.load32_splat(changetype<usize>(this), 92);
  }
  // @ts-ignore: decorator
  @inline get erf5(): v128 {
    return v128.load32_splat(changetype<usize>(this), 96);
  }
  // @ts-ignore: decorator
  @inline get erf6(): v128 {
    return v128.load32_splat(changetype<usize>(this), 100);
  }
  // @ts-ignore: decorator
  @inline get erf7(): v128 {
    return v128.load32_splat(changetype<usize>(this), 104);
  }
}

let table: usize = 0;

/** The constants, once they are placed. */
// @ts-ignore: decorator
@inline export function coefficients(): Coefficients {
  return changetype<Coefficients>(table);
}

export function coefficientBytes(): i32 {
  return 108;
}

/** Writes the constants to `at`, where they must stay: before anything else is called. */
export function placeCoefficients(at: usize): void {
  table = at;
  store<f32>(at, 1, 0); // one
  store<f32>(at, 0.5, 4); // half
  store<f32>(at, 12582912.0, 8); // round
  store<f32>(at, 6.9314700365e-1, 12); // exp1
  store<f32>(at, 2.4022242427e-1, 16); // exp2
  store<f32>(at, 5.5507335812e-2, 20); // exp3
  store<f32>(at, 9.6715129912e-3, 24); // exp4
  store<f32>(at, 1.3264727313e-3, 28); // exp5
  store<f32>(at, -87.3, 32); // lowest
  store<f32>(at, 88, 36); // highest
  store<f32>(at, 1.44269504, 40); // log2e
  store<f32>(at, -0.693359375, 44); // ln2a
  store<f32>(at, 2.1219444e-4, 48); // ln2b
  store<f32>(at, 12582912.0 - <f32>DECAY_RANGE, 52); // least
  store<f32>(at, 12582912.0 + <f32>DECAY_RANGE, 56); // most
  store<f32>(at, 3.3333340287e-1, 60); // atanh1
  store<f32>(at, 1.9999338686e-1, 64); // atanh2
  store<f32>(at, 1.4310520887e-1, 68); // atanh3
  store<f32>(at, 1.0694980621e-1, 72); // atanh4
  store<f32>(at, 1.2212454528e-1, 76); // atanh5
  store<f32>(at, 2.7703517675e-1, 80); // erf1
  store<f32>(at, 3.2169765234e-1, 84); // erf2
  store<f32>(at, 1.3084685802e-1, 88); // erf3
  store<f32>(at, 3.0767548084e-1, 92); // erf4
  store<f32>(at, 1.2218293548e-1, 96); // erf5
  store<f32>(at, -2.182402015e-1, 100); // erf6
  store<f32>(at, 5.8802112937e-2, 104); // erf7
}
