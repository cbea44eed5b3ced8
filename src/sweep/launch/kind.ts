/** What a launcher is to the rest of the house: its name, its section of a sweep file, and how to open one. A row of LAUNCHERS each. */
import type { z } from 'zod';
import type { Launcher, LaunchLimits } from './launcher.js';

/** What a sweep tells the launcher that runs it. */
export interface LaunchOptions<S> {
  /** Name of the sweep. */
  sweep: string;
  /** Trials at the same time, as the sweep file or the command asks. */
  workers: number;
  /** Threads of a trial; `auto`: as many as it has cores. */
  threads: number | 'auto';
  limits: LaunchLimits;
  /** The launcher's own section of the sweep file; empty where the file has none. */
  settings: S;
  onNote(text: string): void;
}

/** The values of a section, any of which may be absent. */
export type Settings<F extends z.ZodRawShape> = { [K in keyof F]?: z.output<F[K]> };

export interface LauncherSection<F extends z.ZodRawShape> {
  fields: F;
  /** Shown where the section is no map: `{partition: gpu}`. */
  example: string;
  description: string;
}

export interface LauncherKind<F extends z.ZodRawShape = z.ZodRawShape> {
  /** What it is to people, after `--launch NAME`: `processes of this machine`. */
  about: string;
  /** Its section of a sweep file, under its own name. */
  section?: LauncherSection<F>;
  /** Makes one. What is heavy is loaded here. @throws UserError where it cannot run at all. */
  open(options: LaunchOptions<Settings<F>>): Promise<Launcher>;
  /** How many of `trials` it runs at the same time; the sweep's workers where absent. */
  workers?(settings: Settings<F>, trials: number): number;
  /** Where trials go on without the command. */
  queue?: {
    /** What holds them: `Slurm`. */
    title: string;
    /**
     * Takes every trial of the sweep in that folder out of the queue; what ran writes a checkpoint, and all stay open.
     * @returns how many waited or ran. @throws UserError where the queue does not answer.
     */
    cancel(path: string, sweep: string): Promise<number>;
    /** What else a person may do with the trials that were left there, as a sentence. */
    byHand?(path: string): Promise<string>;
  };
}
