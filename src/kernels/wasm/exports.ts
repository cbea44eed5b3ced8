/**
 * Signatures of the compiled kernels (assembly/index.ts). Every unnamed number is an address; 0 means absent. By hand, since the
 * declarations that asc writes (`--bindings esm`) come with a loader that owns its memory; a test holds names and counts against the module.
 */

type Address = number;

export interface KernelExports {
  coefficientBytes(): number;
  placeCoefficients(at: Address): void;
  scanForward(
    batch: number,
    length: number,
    channels: number,
    states: number,
    x: Address,
    delta: Address,
    A: Address,
    B: Address,
    C: Address,
    D: Address,
    z: Address,
    bias: Address,
    softplus: number,
    reset: Address,
    y: Address,
    kept: Address,
    scratch: Address,
  ): void;
  scanBackward(
    b: number,
    block: number,
    first: number,
    until: number,
    taken: Address,
    left: Address,
    shared: Address,
    scratch: Address,
    batch: number,
    length: number,
    channels: number,
    states: number,
    x: Address,
    delta: Address,
    A: Address,
    B: Address,
    C: Address,
    D: Address,
    z: Address,
    bias: Address,
    softplus: number,
    reset: Address,
    dy: Address,
    dx: Address,
    ddelta: Address,
    dA: Address,
    dB: Address,
    dC: Address,
    dD: Address,
    dz: Address,
    dbias: Address,
    kept: Address,
  ): void;
  scanKeptFloats(length: number, channels: number, states: number): number;
  scanForwardBytes(channels: number, states: number): number;
  scanBackwardBytes(channels: number, states: number): number;
  scanBackwardKeptBytes(channels: number, states: number): number;
  scanCarryBytes(channels: number, states: number): number;
  headScanForward(
    batch: number,
    length: number,
    channels: number,
    heads: number,
    states: number,
    x: Address,
    delta: Address,
    A: Address,
    B: Address,
    C: Address,
    D: Address,
    z: Address,
    bias: Address,
    softplus: number,
    reset: Address,
    y: Address,
    kept: Address,
    scratch: Address,
  ): void;
  headScanBackward(
    b: number,
    block: number,
    first: number,
    until: number,
    taken: Address,
    left: Address,
    shared: Address,
    scratch: Address,
    batch: number,
    length: number,
    channels: number,
    heads: number,
    states: number,
    x: Address,
    delta: Address,
    A: Address,
    B: Address,
    C: Address,
    D: Address,
    z: Address,
    bias: Address,
    softplus: number,
    reset: Address,
    dy: Address,
    dx: Address,
    ddelta: Address,
    dA: Address,
    dB: Address,
    dC: Address,
    dD: Address,
    dz: Address,
    dbias: Address,
    kept: Address,
  ): void;
  headScanKeptFloats(length: number, channels: number, heads: number, states: number): number;
  headScanForwardBytes(channels: number, heads: number, states: number): number;
  headScanBackwardBytes(channels: number, heads: number, states: number): number;
  headScanBackwardKeptBytes(channels: number, heads: number, states: number): number;
  headScanCarryBytes(channels: number, heads: number, states: number): number;
  convForward(
    batch: number,
    length: number,
    channels: number,
    width: number,
    x: Address,
    w: Address,
    bias: Address,
    activation: number,
    reset: Address,
    y: Address,
    scratch: Address,
  ): void;
  convBackward(
    batch: number,
    length: number,
    channels: number,
    stride: number,
    width: number,
    x: Address,
    w: Address,
    bias: Address,
    activation: number,
    reset: Address,
    dy: Address,
    dx: Address,
    dw: Address,
    dbias: Address,
    scratch: Address,
  ): void;
  convScratchBytes(channels: number, width: number): number;
  layerNormForward(
    rows: number,
    width: number,
    x: Address,
    gamma: Address,
    beta: Address,
    eps: number,
    y: Address,
  ): void;
  layerNormBackward(
    rows: number,
    width: number,
    x: Address,
    gamma: Address,
    eps: number,
    dy: Address,
    dx: Address,
    moments: Address,
  ): void;
  layerNormColumns(
    rows: number,
    count: number,
    width: number,
    x: Address,
    dy: Address,
    moments: Address,
    dgamma: Address,
    dbeta: Address,
  ): void;
  rmsNormForward(rows: number, width: number, x: Address, gamma: Address, eps: number, y: Address): void;
  rmsNormBackward(
    rows: number,
    width: number,
    x: Address,
    gamma: Address,
    eps: number,
    dy: Address,
    dx: Address,
    scales: Address,
  ): void;
  rmsNormColumns(
    rows: number,
    count: number,
    width: number,
    x: Address,
    dy: Address,
    scales: Address,
    dgamma: Address,
  ): void;
  hardswishForward(n: number, x: Address, y: Address): void;
  hardswishBackward(n: number, x: Address, dy: Address, dx: Address): void;
  geluForward(n: number, x: Address, y: Address): void;
  geluBackward(n: number, x: Address, dy: Address, dx: Address): void;
  dropout(
    first: number,
    n: number,
    x: Address,
    seed: number,
    threshold: number,
    scale: number,
    y: Address,
  ): void;
  adam(
    n: number,
    p: Address,
    g: Address,
    m: Address,
    v: Address,
    rate: number,
    b1: number,
    n1: number,
    b2: number,
    n2: number,
    eps: number,
    c1: number,
    c2: number,
    decay: number,
    clip: number,
  ): void;
  sums(n: number, a: Address, b: Address, out: Address): void;
  products(n: number, a: Address, b: Address, out: Address): void;
  sumOfSquares(n: number, x: Address): number;
  gatherRows(n: number, width: number, table: Address, indices: Address, out: Address): void;
  scatterAddRows(
    n: number,
    width: number,
    from: number,
    until: number,
    values: Address,
    indices: Address,
    out: Address,
  ): void;
  packPart(
    k: number,
    n: number,
    b: Address,
    ldb: number,
    transposed: number,
    to: Address,
    from: number,
    until: number,
  ): void;
  product(
    m: number,
    n: number,
    k: number,
    a: Address,
    lda: number,
    transposeA: number,
    packed: Address,
    c: Address,
    ldc: number,
    initial: Address,
    stride: number,
    scratch: Address,
  ): void;
  gemmScratchBytes(): number;
  useWideTiles(on: number): void;
  packedBytes(k: number, n: number): number;
  sumRows(m: number, n: number, stride: number, x: Address, out: Address): void;
  zero(at: Address, bytes: number): void;
  sumOf(n: number, at: Address): number;
  crossEntropyRows(
    from: number,
    until: number,
    width: number,
    items: number,
    hidden: Address,
    W: Address,
    targets: Address,
    index: Address,
    dHidden: Address,
    byItem: Address,
    byWidth: Address,
    scale: number,
    h: Address,
    scaled: Address,
    logits: Address,
    losses: Address,
    spare: Address,
  ): void;
  crossEntropyItems(
    from: number,
    until: number,
    n: number,
    width: number,
    items: number,
    targets: Address,
    index: Address,
    dW: Address,
    scale: number,
    h: Address,
    scaled: Address,
    logits: Address,
    spare: Address,
  ): void;
  logitsStride(items: number): number;
  sampledRows(
    from: number,
    until: number,
    width: number,
    n: number,
    hidden: Address,
    W: Address,
    targets: Address,
    index: Address,
    negatives: Address,
    offsets: Address,
    dHidden: Address,
    byItem: Address,
    byWidth: Address,
    scale: number,
    h: Address,
    scaled: Address,
    logits: Address,
    ownFactors: Address,
    losses: Address,
    spare: Address,
  ): void;
  sampledItems(
    from: number,
    until: number,
    first: number,
    last: number,
    m: number,
    width: number,
    n: number,
    targets: Address,
    index: Address,
    dSampled: Address,
    dW: Address,
    h: Address,
    scaled: Address,
    logits: Address,
    ownFactors: Address,
    spare: Address,
  ): void;
  addSampled(
    from: number,
    until: number,
    width: number,
    negatives: Address,
    dSampled: Address,
    dW: Address,
  ): void;
  ranks(
    users: number,
    width: number,
    items: number,
    hidden: Address,
    packed: Address,
    targets: Address,
    historyOffsets: Address,
    historyItems: Address,
    unmasked: Address,
    masked: Address,
    losses: Address,
    chunk: number,
    scratch: Address,
  ): void;
  rankScratchBytes(chunk: number, items: number): number;
}
