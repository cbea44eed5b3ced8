/** Which weights see the width: the matrices whose number of inputs grows with dim, as muP parts them from all others. */

/** Linear maps inside a layer; those of TiM4Rec's time path have the length of the history for inputs, whatever the width. */
const IN_LAYER = /_layers\.\d+\.(?!.*time).*\.weight$/i;

/**
 * Whether a weight is a hidden matrix in the sense of muP (Yang et al. 2022, arXiv 2203.03466, table 3): its inputs grow with
 * dim. The item table, which is the output too, convolutions, biases, norms and the state's A, D and time steps are not.
 */
export function isHiddenMatrix(name: string, shape: readonly number[]): boolean {
  return shape.length === 2 && IN_LAYER.test(name);
}
