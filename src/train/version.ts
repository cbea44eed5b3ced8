/** Raised whenever a change of the code changes a trial's numbers: it is part of every trial's identity. */
export const NUMERIC_VERSION = 3;
