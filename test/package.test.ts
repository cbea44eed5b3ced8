/** The package as it is installed: a lock file that `npm ci` accepts on every platform, and that names no registry. */
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface LockEntry {
  resolved?: string;
  optionalDependencies?: Record<string, string>;
}

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
  packages: Record<string, LockEntry>;
};

it('the lock file holds the builds of every platform, not only of the one it was made on', () => {
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter((name) => !isFound(path, name)),
  );
  expect(missing).toEqual([]);
});

it('the lock file names no registry', () => {
  expect(Object.values(packages).filter(({ resolved }) => resolved !== undefined)).toEqual([]);
});

/** Whether a package is found from `path` upwards, as Node resolves it. */
function isFound(path: string, name: string): boolean {
  for (let base = path; base !== ''; base = base.slice(0, Math.max(0, base.lastIndexOf('/node_modules/'))))
    if (`${base}/node_modules/${name}` in packages) return true;
  return `node_modules/${name}` in packages;
}
