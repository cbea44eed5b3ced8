/**
 * The share of hits in K that an entropy allows (Fano's inequality as in Song et al., Science 2010, for lists of K).
 * A loose diagnostic: it bounds any predictor of a stationary source with that entropy rate, and the rate itself is an
 * estimate from short histories. Do not read it as what a model will reach.
 */
import { UserError } from '../../util/errors.js';

/**
 * The P on [K/M, 1] with S = h2(P) + P log2 K + (1 - P) log2(M - K); 1 where S <= log2 K, K/M where S >= log2 M.
 * @param entropyBits entropy rate S, in bits (nats divided by ln 2).
 * @param k length of the list.
 * @param items size of the catalogue M.
 * @throws UserError where k or items make no sense.
 */
export function predictabilityCeiling(entropyBits: number, k: number, items: number): number {
  if (!(k >= 1 && items > k) || Number.isNaN(entropyBits))
    throw new UserError(
      `a ceiling needs an entropy and 1 <= K < items (entropy ${entropyBits}, K ${k}, items ${items})`,
    );
  if (entropyBits <= Math.log2(k)) return 1;
  if (entropyBits >= Math.log2(items)) return k / items;
  const needed = (p: number) =>
    (p >= 1 ? 0 : -p * Math.log2(p) - (1 - p) * Math.log2(1 - p)) +
    p * Math.log2(k) +
    (1 - p) * Math.log2(items - k);
  let low = k / items;
  let high = 1;
  for (let step = 0; step < 100 && high - low > 1e-15; step++) {
    const middle = (low + high) / 2;
    if (needed(middle) > entropyBits) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
