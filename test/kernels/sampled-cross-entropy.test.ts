import { describeSampledCrossEntropy } from '../../src/contract/sampled-cross-entropy.js';

describeSampledCrossEntropy('wasm', 40);
describeSampledCrossEntropy('composed', 10);
describeSampledCrossEntropy('cpu', 4);
