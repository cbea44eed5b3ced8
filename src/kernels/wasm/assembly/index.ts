// What the module exports. It owns no memory: it works on the heap of tfjs's wasm backend, at the addresses it is given.

export { convBackward, convForward, convScratchBytes } from './causal-conv';
export { crossEntropyItems, crossEntropyRows, logitsStride } from './cross-entropy';
export {
  adam,
  dropout,
  geluBackward,
  geluForward,
  hardswishBackward,
  hardswishForward,
  products,
  sumOfSquares,
  sums,
} from './elementwise';
export { gatherRows, scatterAddRows } from './embedding';
export { gemmScratchBytes, packedBytes, packPart, product, sumRows, useWideTiles } from './gemm';
export { headScanForward, headScanForwardBytes, headScanKeptFloats } from './scan/head-scan';
export {
  headScanBackward,
  headScanBackwardBytes,
  headScanBackwardKeptBytes,
  headScanCarryBytes,
} from './scan/head-scan-back';
export { coefficientBytes, placeCoefficients } from './coefficients';
export { layerNormBackward, layerNormColumns, layerNormForward } from './layer-norm';
export { rankScratchBytes, ranks } from './rank';
export { sumOf, zero } from './rows';
export { addSampled, sampledItems, sampledRows } from './sampled-cross-entropy';
export { scanForward, scanForwardBytes, scanKeptFloats } from './scan/selective-scan';
export {
  scanBackward,
  scanBackwardBytes,
  scanBackwardKeptBytes,
  scanCarryBytes,
} from './scan/selective-scan-back';
export { rmsNormBackward, rmsNormColumns, rmsNormForward } from './rms-norm';
