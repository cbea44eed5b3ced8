/** `perflaw export RUN`: the best weights of a finished run as safetensors, and a card that says what they are. */
import { existsSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Argv } from 'yargs';
import type { WeightsCard } from '../train/weights-card.js';
import { ExitCode, fileError, UserError } from '../util/errors.js';
import { readRegularBytes, writeAtomic, writeJson } from '../util/files.js';
import { formatBytes, formatCount } from '../util/format.js';
import { sha256 } from '../util/hash.js';
import { type Arguments, note, print, printJson } from './options/command.js';

export function options(yargs: Argv): Argv {
  return yargs
    .positional('run', {
      type: 'string',
      describe:
        "A trial's identity or its beginning (`perflaw results`), its folder, or a folder of train --out",
    })
    .option('sweep', {
      type: 'string',
      describe: 'Look for the identity in this sweep (folder or name) [default: the last, then all others]',
    })
    .option('out', {
      type: 'string',
      describe: 'File to write, or folder to write into [default: <run>.safetensors here]',
    })
    .example('$0 export 3f9a --out best.safetensors', 'A trial of the last sweep; best.json goes beside it')
    .example('$0 train --data u.data --init best.safetensors --dim 32', 'Go on from it')
    .epilogue(
      'In PyTorch: model.load_state_dict(safetensors.torch.load_file("best.safetensors")). The names are those of the published code.',
    );
}

/** A finished run: where its weights lie, what they should be, and how its card is made. */
interface Source {
  name: string;
  weights: string;
  sha256: string;
  /** What brings weights back that are gone. */
  remedy: string;
  card(): Promise<WeightsCard> | WeightsCard;
}

export async function run(args: Arguments): Promise<number> {
  const source = await sourceOf(String(args['run']), args['sweep'] as string | undefined);
  const { cardPathOf } = await import('../train/initial-weights.js');
  const bytes = readWeights(source);
  const card = await source.card();
  const out = outPath(args['out'] as string | undefined, source.name);
  const cardPath = cardPathOf(out);
  writeAtomic(out, bytes);
  writeJson(cardPath, card);
  const { model, parameters, numItems } = card;
  if (args.json)
    printJson({ weights: out, card: cardPath, sha256: card.sha256, model, parameters, numItems });
  else {
    print(
      `${out}: ${model.name}, dim ${model.dim}, layers ${model.layers}, ${formatCount(parameters)} parameters for ${formatCount(numItems)} items, ${formatBytes(bytes.length)}`,
    );
    print(`${cardPath}: its settings, scores and the item of each row`);
  }
  return ExitCode.ok;
}

async function sourceOf(run: string, sweep: string | undefined): Promise<Source> {
  const { CARD_FILE, readWeightsCard, WEIGHTS_FILE } = await import('../train/weights-card.js');
  const folder = resolve(run);
  const isTrainRun = existsSync(join(folder, CARD_FILE)) && !existsSync(join(folder, 'config.json'));
  if (!isTrainRun) return trialSource(run, sweep);
  const card = readWeightsCard(join(folder, CARD_FILE));
  return {
    name: basename(folder),
    weights: join(folder, WEIGHTS_FILE),
    sha256: card.sha256,
    remedy: 'Run the same `perflaw train` again with --overwrite: it writes them anew.',
    card: () => card,
  };
}

async function trialSource(run: string, sweep: string | undefined): Promise<Source> {
  const { findTrial } = await import('../sweep/store/find-trial.js');
  const { job, record, store } = findTrial(run, sweep);
  const { config, result } = record;
  const remedy = `Remove the folder ${store.folder(job.id)} and run the sweep again: only this trial is trained anew.`;
  if (!result.weights)
    throw new UserError('this trial kept no weights', {
      place: store.folder(job.id),
      remedy: `${job.keepWeights === false ? 'Set `keepWeights: true` in the sweep file. ' : ''}${remedy}`,
    });
  return {
    name: job.id,
    weights: store.weightsFile(job.id),
    sha256: result.weights.sha256,
    remedy,
    async card() {
      const { openDataset } = await import('../data/dataset.js');
      const { weightsCard } = await import('../train/weights-card.js');
      const data = await openDataset(job.data, { onNote: note });
      if (data.hash !== config.data.hash)
        throw new UserError('the data set changed since this trial, so its items cannot be named', {
          place: data.name,
          remedy: 'Bring back the data that the sweep was run on.',
        });
      return weightsCard(config, result, data);
    },
  };
}

function readWeights({ weights, sha256: expected, remedy }: Source): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = readRegularBytes(weights);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new UserError('the weights of this run are gone', { place: weights, remedy });
    throw fileError(error, weights, 'read these weights');
  }
  if (sha256(bytes) !== expected)
    throw new UserError('these weights are damaged: their checksum is not the one of the result', {
      place: weights,
      remedy,
    });
  return bytes;
}

function outPath(out: string | undefined, name: string): string {
  if (out === undefined) return resolve(`${name}.safetensors`);
  const isFolder = /[\\/]$/.test(out) || statSync(out, { throwIfNoEntry: false })?.isDirectory();
  if (isFolder) return resolve(out, `${name}.safetensors`);
  if (!out.endsWith('.safetensors'))
    throw new UserError('the name of a weights file ends with .safetensors', {
      place: out,
      remedy: `Write --out ${out}.safetensors; its card goes beside it as ${out}.json.`,
    });
  return resolve(out);
}
