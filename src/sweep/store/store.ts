/**
 * The store: a folder a sweep, a folder a trial, every file whole or absent. The only writer of results.
 *
 *   <sweep>/plan.json            what the sweep file asked for, by the last command that ran it
 *   <sweep>/index.json           every trial in a line, for people
 *   <sweep>/slices/<key>.json    measures and popularity baseline of a slice, computed once
 *   <sweep>/trials/<id>/         config.json, result.json, ranks.bin, weights.safetensors, log.txt, progress.json,
 *                                claim-<n>.json, checkpoint/, rungs/<epoch>.json
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { TrialConfig } from '../../train/config.js';
import { RANKS_FILE, readRanks, type StoredRanks } from '../../train/evaluation/ranks.js';
import { trialId } from '../../train/identity.js';
import { fileError, UserError } from '../../util/errors.js';
import { readJson, readRegular, writeAtomic } from '../../util/files.js';
import { shortHash } from '../../util/hash.js';
import { computeOnce } from './compute-once.js';
import { refuseLink, refuseLinks, removeLitter } from './housekeeping.js';
import {
  recordText,
  STORE_SCHEMA,
  type StoredPlan,
  type StoredProgress,
  type TrialJob,
  type TrialState,
  withoutCurve,
} from './layout.js';
import { otherSchema, planText, readPlanFile, refuseOtherPlan } from './plan-file.js';
import type { DoneRecord, TrialRecord } from './record.js';
import { checkRecord } from './record-check.js';

export class SweepStore {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** Folder of a trial. */
  folder(id: string): string {
    return join(this.path, 'trials', id);
  }

  checkpointFolder(id: string): string {
    return join(this.folder(id), 'checkpoint');
  }

  /** The best weights of a finished trial, as safetensors; their checksum is in the result. */
  weightsFile(id: string): string {
    return join(this.folder(id), 'weights.safetensors');
  }

  /** The ranks of every evaluated user of a finished trial; their checksum is in the result. */
  ranksFile(id: string): string {
    return join(this.folder(id), RANKS_FILE);
  }

  /**
   * The ranks that belong to a result.
   * @throws UserError where none were kept (results of earlier versions), or they are gone, damaged or another result's.
   */
  readRanks({ id, config, result }: DoneRecord): StoredRanks {
    const path = this.ranksFile(id);
    if (!result.ranks)
      throw new UserError(
        'no ranks were kept with this result: it is of a version of perflaw before they were',
        {
          place: this.folder(id),
          remedy: 'Remove the folder and run the sweep again: only this trial is trained anew.',
        },
      );
    return readRanks(path, result.ranks.sha256, config.data.hash);
  }

  logFile(id: string): string {
    return join(this.folder(id), 'log.txt');
  }

  /**
   * Makes the folder and writes the plan.
   * @throws UserError when the folder cannot be written, or belongs to another version of the store.
   */
  writePlan(plan: StoredPlan): void {
    const path = join(this.path, 'plan.json');
    this.refuseLinks();
    if (existsSync(path)) refuseOtherPlan(path);
    writeAtomic(path, planText(plan));
    try {
      mkdirSync(join(this.path, 'trials'), { recursive: true });
    } catch (error) {
      throw fileError(error, join(this.path, 'trials'), 'make this folder');
    }
  }

  /**
   * The plan.
   * @throws UserError when it is missing, damaged or of another version.
   */
  readPlan(): StoredPlan {
    return readPlanFile(join(this.path, 'plan.json'));
  }

  /**
   * Refuses symbolic links in the sweep's folder, or in a trial's.
   * @throws UserError that names the link.
   */
  refuseLinks(id?: string): void {
    refuseLinks(
      id === undefined
        ? [this.path, join(this.path, 'slices')]
        : [this.folder(id), this.checkpointFolder(id), join(this.folder(id), 'rungs')],
    );
    if (id !== undefined) refuseLink(this.folder(id));
  }

  /** Writes what a trial's process needs, unless it is there. */
  writeJob(job: TrialJob): void {
    const path = join(this.folder(job.id), 'config.json');
    const text = `${JSON.stringify(job, null, 2)}\n`;
    try {
      if (readRegular(path) === text) return;
    } catch {
      // Not there yet.
    }
    writeAtomic(path, text);
  }

  /** @throws UserError when the job is missing, damaged or another trial's. */
  readJob(id: string): TrialJob {
    const path = join(this.folder(id), 'config.json');
    const job = readJson(path) as TrialJob;
    if (job?.schema !== STORE_SCHEMA) throw otherSchema(path, job?.schema);
    if (!job.config || trialId(job.config, job.numericVersion) !== id)
      throw new UserError('this configuration is not the one of its folder', {
        place: path,
        remedy: 'Remove the folder and run the sweep again.',
      });
    return job;
  }

  /**
   * What is known of a trial; a result that is damaged, of another version or of another trial is never taken for its own.
   * @param curve false leaves learning curves out: most of a result's text, and nothing that a law needs.
   */
  readTrial(id: string, numericVersion: number, { curve = true } = {}): TrialState {
    return this.#readRecord(join(this.folder(id), 'result.json'), id, numericVersion, curve);
  }

  #readRecord(path: string, id: string, numericVersion: number, curve: boolean): TrialState {
    let text: string;
    try {
      text = readRegular(path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return { state: 'absent' };
      return {
        state: 'damaged',
        path,
        reason: code === 'EFTYPE' ? 'is no ordinary file' : `cannot be read (${code})`,
      };
    }
    const checked = checkRecord(curve ? text : withoutCurve(text), id, numericVersion);
    if (typeof checked === 'string') return { state: 'damaged', path, reason: checked };
    if ('foreign' in checked)
      return {
        state: 'damaged',
        path,
        reason: `was written by another version of perflaw (schema ${checked.foreign})`,
        schema: checked.foreign,
      };
    return { state: checked.status, record: checked };
  }

  /** @throws UserError when a result was written by another version of the store. */
  refuseOtherResult(found: TrialState): void {
    if (found.state === 'damaged' && found.schema !== undefined) throw otherSchema(found.path, found.schema);
  }

  /** Writes a trial's result: the whole file or nothing. */
  writeResult(record: TrialRecord): void {
    writeAtomic(join(this.folder(record.id), 'result.json'), recordText(record));
  }

  /** Writes what a trial had reached when it came to a rung of successive halving. */
  writeRung(record: DoneRecord): void {
    writeAtomic(this.#rung(record.id, record.result.epochsRun), recordText(record));
  }

  /** What a trial had reached at a rung, if it came so far. */
  readRung(id: string, numericVersion: number, epoch: number): TrialRecord | undefined {
    const found = this.#readRecord(this.#rung(id, epoch), id, numericVersion, true);
    return found.state === 'done' ? found.record : undefined;
  }

  /** Takes the result back that halving gave a trial: it goes on from its checkpoint. */
  reopen({ id, result }: DoneRecord): void {
    const rung = this.#rung(id, result.epochsRun);
    try {
      mkdirSync(dirname(rung), { recursive: true });
      renameSync(join(this.folder(id), 'result.json'), rung);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw fileError(error, rung, 'move the result here');
    }
  }

  #rung(id: string, epoch: number): string {
    return join(this.folder(id), 'rungs', `${epoch}.json`);
  }

  /** Moves a damaged or failed result out of the way; it stays beside the new one for inspection. */
  setAside(id: string, why: 'damaged' | 'failed'): void {
    const folder = this.folder(id);
    try {
      renameSync(join(folder, 'result.json'), join(folder, `result.${why}.json`));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        throw fileError(error, join(folder, 'result.json'), 'move this file');
    }
  }

  /** Removes what only an unfinished trial needs, and what a killed process left half-written. */
  cleanTrial(id: string, keep: { checkpoint: boolean }): void {
    const folder = this.folder(id);
    if (!keep.checkpoint)
      for (const path of [this.checkpointFolder(id), join(folder, 'rungs')])
        rmSync(path, { recursive: true, force: true });
    rmSync(join(folder, 'progress.json'), { force: true });
    for (const name of readdirSync(folder))
      if (/^((result|config|progress)\.json|weights\.safetensors|ranks\.bin)\.[0-9]+$/.test(name))
        rmSync(join(folder, name), { force: true });
  }

  /** The same for a finished trial whose process died after its result and before its cleaning. */
  tidyFinished(id: string): void {
    const folder = this.folder(id);
    if (!existsSync(this.checkpointFolder(id)) && !existsSync(join(folder, 'progress.json'))) return;
    try {
      this.cleanTrial(id, { checkpoint: false });
    } catch {
      // A read-only folder, or somebody else who tidies: the result counts, this does not.
    }
  }

  /** Removes what killed writers left half-written beside plan, index and slices. */
  removeLitter(): void {
    const { mtimeMs } = statSync(join(this.path, 'plan.json'));
    for (const folder of [this.path, join(this.path, 'slices')]) removeLitter(folder, mtimeMs);
  }

  /** A sign of life for watchers: replaced as a whole, not forced to the disk. */
  writeProgress(id: string, progress: StoredProgress): void {
    const path = join(this.folder(id), 'progress.json');
    const temporary = `${path}.${process.pid}`;
    try {
      writeFileSync(temporary, JSON.stringify(progress));
      renameSync(temporary, path);
    } catch {
      // A sign of life is not worth a training: a full disk is noticed where something counts.
    }
  }

  readProgress(id: string): StoredProgress | undefined {
    try {
      return JSON.parse(readRegular(join(this.folder(id), 'progress.json'))) as StoredProgress;
    } catch {
      return undefined;
    }
  }

  /**
   * A value that depends on the data and a slice alone: read if there, else computed and kept. Of several processes that
   * need it at once, one computes and the others wait for it.
   */
  sliceFacts<T>(
    dataHash: string,
    { slice, evaluation, split }: Pick<TrialConfig, 'slice' | 'evaluation' | 'split'>,
    version: string,
    compute: () => T | Promise<T>,
  ): Promise<T> {
    return computeOnce(
      join(this.path, 'slices'),
      shortHash({
        dataHash,
        slice,
        ks: evaluation.ks,
        users: evaluation.users,
        testUsers: evaluation.testUsers,
        split,
        version,
      }),
      compute,
    );
  }

  /** The list of trials for people. Derived: nothing reads it back. */
  writeIndex(rows: Record<string, string | number | null>[]): void {
    const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
    writeAtomic(
      join(this.path, 'index.json'),
      `{\n  "schema": ${STORE_SCHEMA},\n  "trials": [\n${lines}\n  ]\n}\n`,
    );
  }
}
