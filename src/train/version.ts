/** Raised whenever a change of the code changes a trial's numbers: it is part of every trial's identity. */
export const NUMERIC_VERSION = 3;

/** Numbers that changed on one backend alone since there are versions; the others' names do not hold theirs. */
const OF_BACKEND: Readonly<Record<string, number>> = { webgpu: 2 };

/** What an identity holds of the backend's own version: nothing where its numbers never changed alone. */
export function backendVersion(backend: string): { backendVersion?: number } {
  const version = OF_BACKEND[backend];
  return version === undefined ? {} : { backendVersion: version };
}
