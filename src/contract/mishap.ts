/** What may go wrong with a fake trial: its configuration says so in `warmup`. */
export const Mishap = {
  none: 0,
  notANumber: 1,
  memory: 2,
  hang: 3,
  abort: 4,
  killedAlways: 5,
  killedOnce: 6,
  error: 7,
  /** Waits after its first epoch until there is a file `go` among its checkpoints. */
  waits: 8,
};

/** The numeric version of fake trials. */
export const NUMERIC_VERSION = 1;
