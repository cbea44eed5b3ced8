/** Is this text the result of that trial? Checked on every reading: a store may hold damaged files and other people's. */
import { trialId } from '../../train/identity.js';
import { RECORD_SCHEMA, type TrialRecord } from './record.js';

type Json = Record<string, unknown>;
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/** The record, or why it is none, in words that follow "this result"; `foreign` is the schema of another version. */
export function checkRecord(
  text: string,
  id: string,
  numericVersion: number,
): TrialRecord | string | { foreign: number } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return text.trim() === '' ? 'is empty' : 'is not valid JSON (cut off or damaged)';
  }
  if (!isObject(value)) return 'is not a record';
  if (isNumber(value['schema']) && value['schema'] !== RECORD_SCHEMA) return { foreign: value['schema'] };
  if (value['schema'] !== RECORD_SCHEMA)
    return `was written by another version of perflaw (schema ${JSON.stringify(value['schema']) ?? 'none'})`;
  if (value['id'] !== id) return `belongs to trial ${JSON.stringify(value['id'])}`;
  if (!isObject(value['config']) || !isObject(value['config']['data'])) return 'has no configuration';
  const { occupied = 0 } = value;
  if (!isNumber(occupied) || occupied < 0) return 'has no seconds of 0 or more';
  const record = value as unknown as TrialRecord;
  if (trialId(record.config, numericVersion) !== id) return 'does not match its configuration';
  if (record.status === 'failed')
    return typeof record.reason === 'string' && typeof record.message === 'string'
      ? record
      : 'is failed without a reason';
  if (record.status !== 'done') return 'has no status';
  const fault = resultFault(value);
  return fault ? `is incomplete: ${fault}` : record;
}

const NUMBERS = [
  ['parameters', 'total'],
  ['parameters', 'nonEmbedding'],
  ['flops', 'total'],
  ['tokens', 'total'],
  ['seconds', 'training'],
  ['seconds', 'evaluation'],
  ['tokensPerSecond'],
  ['peakMemoryBytes'],
  ['bestEpoch'],
];

function resultFault(value: Json): string | undefined {
  const result = value['result'];
  const popularity = value['popularity'];
  const slice = value['slice'];
  if (!isObject(result)) return 'result is missing';
  for (const path of NUMBERS) {
    let at: unknown = result;
    for (const step of path) at = isObject(at) ? at[step] : undefined;
    if (!isNumber(at)) return `result.${path.join('.')} is not a number`;
  }
  if (!Array.isArray(result['curve'])) return 'result.curve is missing';
  if (!isObject(slice) || typeof slice['label'] !== 'string' || !isNumber(slice['tokens']))
    return 'slice is missing';
  for (const [name, owner] of [
    ['result', result],
    ['popularity', popularity],
  ] as const)
    for (const split of ['validation', 'test'])
      for (const history of ['masked', 'unmasked']) {
        const rankings = isObject(owner) ? owner[split] : undefined;
        const metrics = isObject(rankings) ? rankings[history] : undefined;
        const loss = isObject(rankings) ? rankings['loss'] : undefined;
        if (loss !== undefined && !(isNumber(loss) && loss >= 0))
          return `${name}.${split}.loss is no number of 0 or more`;
        if (!isObject(metrics) || !Object.values(metrics).every((m) => isNumber(m) && m >= 0 && m <= 1))
          return `${name}.${split}.${history} has no metrics between 0 and 1`;
      }
  return undefined;
}
