/**
 * The public library: everything a script may import, and nothing else. Importing it is cheap: what needs tfjs, vega or
 * DuckDB loads them when it is called.
 *
 *   import { fitLaw, predict, readTable, approximateEntropy } from 'perflaw';
 */
// biome-ignore-all assist/source/organizeImports: exports are grouped by room
import type { Interactions } from './data/interactions.js';
import type { SliceSpec } from './data/slice.js';
import type { SplitSpec } from './data/split.js';
import type { EvaluationConfig, TrialConfig } from './train/config.js';
import type { TrainingHooks } from './train/hooks.js';
import type { RankingMetrics, TrainingResult } from './train/result.js';

// Data: opening, slicing, generating.
export { type DatasetReference, type OpenOptions, openDataset } from './data/dataset.js';
export { countTokens, type Interactions, type Sequences } from './data/interactions.js';
export { isOtherQuality, parseSlice, type SliceSpec, sliceLabel, sliceSequences } from './data/slice.js';
export {
  type HeldOut,
  type LeaveOneOut,
  leaveOneOut,
  type Split,
  type SplitSpec,
  splitInteractions,
  type TemporalShares,
  temporalSplit,
} from './data/split.js';
export { generateSynthetic, type SyntheticOptions } from './data/synthetic.js';

// Entropy: how predictable the histories are.
export {
  type ApEnOptions,
  approximateEntropy,
  perUserApproximateEntropy,
  pooledApproximateEntropy,
} from './data/entropy/apen.js';
export { compressionRatio } from './data/entropy/compression.js';
export { lempelZivEntropy, perUserLempelZiv } from './data/entropy/lempel-ziv.js';
export { measureSequences, measureWarnings, type SequenceMeasures } from './data/entropy/measures.js';
export { predictabilityCeiling } from './data/entropy/predictability.js';
export { shannonEntropy } from './data/entropy/shannon.js';

// Models: exact sizes.
export { DEFAULT_MODEL, type ModelConfig, type ModelName } from './model/config.js';
export type { ModelSettings } from './model/settings.js';
export { countParameters, type ParameterCount, trainingFlopsPerToken } from './model/size.js';

// Training.
export {
  DEFAULT_EVALUATION,
  DEFAULT_TRAINING,
  type EvaluationConfig,
  type LearningRate,
  type TrainingConfig,
  type TrialConfig,
  type WidthRate,
} from './train/config.js';
export {
  NotANumberError,
  type TrainingHooks,
  TrainingInterrupted,
  type TrainingProgress,
} from './train/hooks.js';
export { metricsOfRanks, standardErrors } from './train/evaluation/metrics.js';
export { readRanks, type StoredRanks, type UserRanks } from './train/evaluation/ranks.js';
export type { EpochRecord, Metrics, RankingMetrics, TrainingResult } from './train/result.js';

/** Trains one configuration and scores it; see TrainingHooks for checkpoints, progress and stopping. Loads tfjs. */
export async function trainModel(
  config: TrialConfig,
  data: Interactions,
  hooks?: TrainingHooks,
): Promise<TrainingResult> {
  return (await import('./train/trainer.js')).trainModel(config, data, hooks);
}

/** Ranking by popularity on the same users: what any model must beat. Loads tfjs. */
export async function popularityBaseline(
  data: Interactions,
  slice: SliceSpec,
  evaluation: EvaluationConfig,
  split?: SplitSpec,
): Promise<{ validation: RankingMetrics; test: RankingMetrics }> {
  return (await import('./train/evaluation/baseline.js')).popularityBaseline(data, slice, evaluation, split);
}

// Sweeps: checking files, reading what runs left.
export { checkSweepText, readSweepFile, type SweepSource } from './sweep/file/spec.js';
export { sweepJsonSchema } from './sweep/file/schema.js';
export { readSweepObservations, type SweepObservations } from './sweep/results/observations.js';
export type { DoneRecord, FailedRecord, SliceMeasures, TrialRecord } from './sweep/store/record.js';

// Laws: fitting, what the data cannot tell, comparing, predicting.
export type { Observation } from './law/points/observation.js';
export { type Direction, directionOf } from './law/points/direction.js';
export { readTable, type Table, type TableOptions } from './law/points/table.js';
export {
  chooseMetric,
  metricNames,
  type Panel,
  type Point,
  panelsOf,
  toPoints,
} from './law/points/points.js';
export {
  exponentLimit,
  type FormContext,
  type FormName,
  type FormTerms,
  type LawForm,
  richest,
} from './law/forms/form.js';
export { FORM_NAMES, FORMS, formByName, registerForm } from './law/forms/forms.js';
export { loadForm } from './law/forms/own-form.js';
export {
  crossedQuadraticTerm,
  logTerm,
  performanceTerm,
  powerTerm,
  quadraticTerm,
  type Exponent,
  type Term,
} from './law/forms/terms.js';
export {
  type EnvelopeOptions,
  type TunedConfiguration,
  type Tuning,
  tunedEnvelope,
} from './law/points/tuned.js';
export type { TunedMove } from './law/points/tuned/moves.js';
export type { TunedEdge } from './law/points/tuned/values.js';
export type { Variable } from './law/points/points.js';
export { type FitOptions, fitLaw, fitPoints, type LawFit } from './law/fitting/fit.js';
export {
  type Bootstrap,
  type BootstrapOptions,
  bootstrap,
  coefficientIntervals,
  optimumIntervals,
  predictWithInterval,
} from './law/trust/uncertainty.js';
export {
  type FormHoldout,
  holdOut,
  type HoldoutOptions,
  type PanelHoldout,
  type UnseenRun,
} from './law/trust/holdout.js';
export { type PairedDifference, pairedDifference } from './law/trust/paired.js';
export { type NoiseSplit, splitNoise } from './law/trust/noise.js';
export type { HoldoutSplit } from './law/trust/withhold.js';
export { closeThreads } from './law/trust/threads.js';
export { type Identifiability, identifiability } from './law/trust/identifiability.js';
export { type Optimum, optimum } from './law/fitting/optimum.js';
export { compareForms, type Comparison, type FormScore } from './law/trust/compare.js';
export { type Analysis, analysePanel, type PanelAnalysis } from './law/analyse.js';
export { analyseJoint, type JointAnalysis } from './law/joint.js';
export { compareDataMeasures, type MeasureLine, type SliceLevel } from './law/data-term.js';
export { type MeasureTest, type QualityTest, testQuality } from './law/quality-test.js';
export { predict } from './law/predict/predict.js';
export type { PredictionReport, PredictOptions } from './law/predict/prediction.js';

// Errors.
export { ExitCode, UserError } from './util/errors.js';
