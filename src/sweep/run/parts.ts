/** The real rooms a trial works with. Loaded in the trial's process; the sweep itself needs no more than the cost model. */

import { sliceLabel, sliceSequences } from '../../data/slice.js';
import { splitInteractions } from '../../data/split.js';
import type { SliceFacts, TrialParts } from './trial.js';

export async function realParts(): Promise<TrialParts> {
  const [{ NUMERIC_VERSION }, { trainModel }, { openDataset }] = await Promise.all([
    import('../../train/version.js'),
    import('../../train/trainer.js'),
    import('../../data/dataset.js'),
  ]);
  return {
    numericVersion: NUMERIC_VERSION,
    openData: (reference) => openDataset(reference),
    train: trainModel,
    sliceFacts: async (data, { slice, evaluation, split }): Promise<SliceFacts> => {
      const [{ measureSequences }, { meanSurprisal }, { popularityBaseline }] = await Promise.all([
        import('../../data/entropy/measures.js'),
        import('../../data/entropy/surprisal.js'),
        import('../../train/evaluation/baseline.js'),
      ]);
      const sequences = sliceSequences(splitInteractions(data, split).train, slice);
      return {
        slice: {
          label: sliceLabel(slice),
          ...measureSequences(sequences),
          surprisal: meanSurprisal(sequences),
        },
        popularity: popularityBaseline(data, slice, evaluation, split),
      };
    },
  };
}
