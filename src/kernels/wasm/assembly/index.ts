// What the module exports. It owns no memory: it works on the heap of tfjs's wasm backend, at the addresses it is given.

export { convBackward, convForward, convScratchBytes } from './causal-conv';
export { crossEntropy, crossEntropyScratchBytes } from './cross-entropy';
export {
  adam,
  dropout,
  geluBackward,
  geluForward,
  hardswishBackward,
  hardswishForward,
  sumOfSquares,
} from './elementwise';
export { gatherRows, scatterAddRows } from './embedding';
export { gemm, gemmScratchBytes, packedBytes, sumRows } from './gemm';
export { headScanBackward, headScanForward } from './head-scan';
export { headScanScratchBytes } from './head-scan-parts';
export { layerNormBackward, layerNormForward } from './layer-norm';
export { rankScratchBytes, ranks } from './rank';
export { scanScratchBytes } from './scan-columns';
export { sampledCrossEntropy, sampledCrossEntropyScratchBytes } from './sampled-cross-entropy';
export { scanBackward, scanForward } from './selective-scan';
export { rmsNormBackward, rmsNormForward } from './rms-norm';
