/**
 * Lempel-Ziv estimate of the entropy rate ("real entropy" of a history): S = n ln n / sum of Lambda_i, in nats, with
 * Lambda_i the length of the shortest run from i that has not been seen before. Two meanings of "seen" are in use:
 * - `prefix`: it occurs wholly within the events before i (Kontoyiannis et al. 1998; Song et al., Science 2010);
 * - `phrases`: it is one of the phrases that earlier positions added, each its own shortest unseen run (the measure
 *   that the released code of the Performance Law, arXiv 2412.00430, computes).
 * A run that reaches the end without becoming new counts its length plus one in both. Both take O(n log n) or better.
 */
import type { Sequences } from '../interactions.js';
import { PairTable } from './pair-table.js';
import { encodeSymbols } from './windows.js';

export type LempelZivForm = 'phrases' | 'prefix';

/**
 * Lempel-Ziv entropy of one series of n symbols, S = n ln n / sum of Lambda_i, in nats; NaN for an empty one, 0 for a single
 * symbol. Lambda_i is the length of the shortest run from i that was not seen before: not among the phrases of earlier positions
 * (`phrases`, as the released code of arXiv 2412.00430 computes it) or nowhere within the symbols before i (`prefix`; Kontoyiannis
 * et al. 1998, Song et al., Science 2010).
 */
export function lempelZivEntropy(
  series: ArrayLike<number | string>,
  form: LempelZivForm = 'phrases',
): number {
  const { symbols, distinct } = encodeSymbols(series);
  const n = symbols.length;
  if (n === 0) return Number.NaN;
  if (distinct === n) return Math.log(n);
  const sum = form === 'phrases' ? new PhraseSet().sum(symbols) : new PrefixMatcher().sum(symbols);
  return (n * Math.log(n)) / sum;
}

export interface PerUserLempelZiv {
  /** Mean over the users with at least two events of each form, nats; NaN where there is none. */
  phrases: number;
  prefix: number;
  users: number;
}

/** Mean over users of the Lempel-Ziv entropy of each one's own history. A history without repeats gives ln n in both forms. */
export function perUserLempelZiv(sequences: Sequences): PerUserLempelZiv {
  const { offsets, items, users } = sequences;
  const phraseSet = new PhraseSet();
  const matcher = new PrefixMatcher();
  let maxItem = 0;
  for (let i = offsets[0]!; i < offsets[users.length]!; i++) if (items[i]! > maxItem) maxItem = items[i]!;
  const seenBy = new Int32Array(maxItem + 1).fill(-1);
  let phrases = 0;
  let prefix = 0;
  let counted = 0;
  for (let u = 0; u < users.length; u++) {
    const history = items.subarray(offsets[u]!, offsets[u + 1]!);
    const n = history.length;
    if (n < 2) continue;
    counted++;
    let repeats = false;
    for (let i = 0; i < n && !repeats; i++) {
      repeats = seenBy[history[i]!] === u;
      seenBy[history[i]!] = u;
    }
    phrases += repeats ? (n * Math.log(n)) / phraseSet.sum(history) : Math.log(n);
    prefix += repeats ? (n * Math.log(n)) / matcher.sum(history) : Math.log(n);
  }
  return { phrases: phrases / counted, prefix: prefix / counted, users: counted };
}

/**
 * The `phrases` form. The set holds every prefix of what it holds, so the longest known run from i is found by doubling:
 * runs of 2^k symbols carry names (Karp, Miller and Rosenberg 1972), and a phrase is the path of the names of its binary
 * digits, longest first.
 */
class PhraseSet {
  private readonly nodes = new PairTable();
  private readonly names = new PairTable();
  private levels: Int32Array[] = [];
  private built = 0;
  private named = 0;

  sum(symbols: Int32Array): number {
    const n = symbols.length;
    this.nodes.reset(n);
    this.names.reset(n);
    this.levels[0] = symbols;
    this.built = 1;
    // Names of longer runs must differ from all symbols.
    this.named = 0;
    for (let i = 0; i < n; i++) this.named = Math.max(this.named, symbols[i]! + 1);
    let numNodes = 1;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      const known = this.longestKnown(i, n);
      sum += known + 1;
      const length = known + 1;
      if (i + length > n) continue;
      const lowest = 31 - Math.clz32(length & -length);
      let parent = 0;
      let at = i;
      for (let k = 31 - Math.clz32(length); k > lowest; k--)
        if (length & (1 << k)) {
          parent = this.nodes.get(parent, this.level(k)[at]!);
          at += 1 << k;
        }
      this.nodes.set(parent, this.level(lowest)[at]!, numNodes++);
    }
    return sum;
  }

  private longestKnown(i: number, n: number): number {
    let node = 0;
    let top = 0;
    for (; i + (1 << top) <= n; top++) {
      const next = this.nodes.get(0, this.level(top)[i]!);
      if (next < 0) break;
      node = next;
    }
    if (top === 0) return 0;
    let length = 1 << (top - 1);
    for (let k = top - 2; k >= 0; k--) {
      if (i + length + (1 << k) > n) continue;
      const next = this.nodes.get(node, this.level(k)[i + length]!);
      if (next < 0) continue;
      node = next;
      length += 1 << k;
    }
    return length;
  }

  /** Names of the runs of 2^k symbols at each position; built when first asked for. */
  private level(k: number): Int32Array {
    while (this.built <= k) {
      const shorter = this.levels[this.built - 1]!;
      const n = this.levels[0]!.length;
      const half = 1 << (this.built - 1);
      let names = this.levels[this.built];
      if (!names || names.length < n) {
        names = new Int32Array(n);
        this.levels[this.built] = names;
      }
      for (let i = 0; i + 2 * half <= n; i++) {
        let name = this.names.get(shorter[i]!, shorter[i + half]!);
        if (name < 0) {
          name = this.named++;
          this.names.set(shorter[i]!, shorter[i + half]!, name);
        }
        names[i] = name;
      }
      this.built++;
    }
    return this.levels[k]!;
  }
}

/**
 * The `prefix` form: a suffix automaton of the events before i (Blumer et al. 1985) grows with i, while the longest match
 * from i slides along; each step drops one symbol and adds what still matches, so the whole is linear.
 */
class PrefixMatcher {
  private readonly edges = new PairTable();
  private length = new Int32Array(0);
  private link = new Int32Array(0);
  private edgeHead = new Int32Array(0);
  private edgeNext = new Int32Array(0);
  private edgeSymbol = new Int32Array(0);
  private numStates = 0;
  private numEdges = 0;

  sum(symbols: Int32Array): number {
    const n = symbols.length;
    this.begin(n);
    let last = 0;
    let state = 0;
    let matched = 0;
    let sum = 0;
    for (let i = 0; i < n; i++) {
      while (i + matched < n) {
        const next = this.edges.get(state, symbols[i + matched]!);
        if (next < 0) break;
        state = next;
        matched++;
      }
      sum += matched + 1;
      last = this.append(last, symbols[i]!);
      if (matched > 0) matched--;
      // The state of the shortened match; this also finds the clone that `append` may have split off.
      while (state > 0 && this.length[this.link[state]!]! >= matched) state = this.link[state]!;
    }
    return sum;
  }

  private begin(n: number): void {
    if (this.length.length < 2 * n + 2) {
      const states = 2 * (2 * n + 2);
      this.length = new Int32Array(states);
      this.link = new Int32Array(states);
      this.edgeHead = new Int32Array(states);
      this.edgeNext = new Int32Array(2 * states);
      this.edgeSymbol = new Int32Array(2 * states);
    }
    this.edges.reset(2 * n);
    this.numStates = 0;
    this.numEdges = 0;
    this.addState(0);
    this.link[0] = -1;
  }

  private addState(length: number): number {
    this.length[this.numStates] = length;
    this.edgeHead[this.numStates] = -1;
    return this.numStates++;
  }

  private addEdge(from: number, symbol: number, to: number): void {
    const edge = this.numEdges++;
    this.edgeSymbol[edge] = symbol;
    this.edgeNext[edge] = this.edgeHead[from]!;
    this.edgeHead[from] = edge;
    this.edges.set(from, symbol, to);
  }

  private append(last: number, symbol: number): number {
    const { edges, length, link } = this;
    const current = this.addState(length[last]! + 1);
    let p = last;
    let q = -1;
    while (p >= 0) {
      q = edges.get(p, symbol);
      if (q >= 0) break;
      this.addEdge(p, symbol, current);
      p = link[p]!;
    }
    if (p < 0) {
      link[current] = 0;
    } else if (length[p]! + 1 === length[q]!) {
      link[current] = q;
    } else {
      const clone = this.addState(length[p]! + 1);
      for (let e = this.edgeHead[q]!; e >= 0; e = this.edgeNext[e]!)
        this.addEdge(clone, this.edgeSymbol[e]!, edges.get(q, this.edgeSymbol[e]!));
      link[clone] = link[q]!;
      link[q] = clone;
      link[current] = clone;
      for (; p >= 0 && edges.get(p, symbol) === q; p = link[p]!) edges.set(p, symbol, clone);
    }
    return current;
  }
}
