/**
 * Descriptors of public data sets (`datasets/*.yaml`): where to get them, how to check them, what to read. Those of the
 * package, and those that a user puts into the workspace's own `datasets` folder, which win.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { fileError, UserError } from '../../util/errors.js';
import { packageRoot } from '../../util/workspace.js';
import { checkDatasetName, isDatasetName } from '../import/stored.js';
import {
  DUPLICATES,
  type Duplicates,
  FORMATS,
  type Format,
  TIME_UNITS,
  type TimeUnit,
} from '../read/formats.js';

export interface Descriptor {
  name: string;
  title: string;
  homepage?: string;
  /** What one may do with the data, in a sentence. */
  terms: string;
  citation?: string;
  /** https only (http on this machine's loopback, for mirrors and tests). */
  url: string;
  archive: 'zip' | 'tar.gz' | 'none';
  /** Size and checksums of what the url gives; a checksum that is absent cannot be checked, and that is said. */
  bytes?: number;
  md5?: string;
  sha256?: string;
  /** Path of the table inside the archive. */
  member?: string;
  /** Checksum of the table itself, for people who have it unpacked. */
  memberMd5?: string;
  /** How to read it: options of `perflaw data import`. */
  read: {
    format?: Format;
    delimiter?: string;
    quote?: string;
    header?: boolean;
    user?: string;
    item?: string;
    time?: string;
    order?: string;
    timeUnit?: TimeUnit;
    timeFormat?: string;
    events?: string;
    duplicates?: Duplicates;
    where?: string[];
  };
  /** Counts after 5-core; a reading that differs is reported. */
  expected?: { users: number; items: number; interactions: number };
}

/** Reads and checks one descriptor. @throws UserError naming file, line and field. */
export async function readDescriptor(path: string): Promise<Descriptor> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, path, 'read this descriptor');
  }
  return parseDescriptor(text, path);
}

/** Checks a descriptor's text; `path` is where it came from. */
export async function parseDescriptor(text: string, path: string): Promise<Descriptor> {
  const [{ LineCounter, parseDocument, isMap }, { z }] = await Promise.all([import('yaml'), import('zod')]);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const remedy = 'See the descriptors that ship with perflaw for an example.';
  if (document.errors[0]) {
    const { line, col } = lines.linePos(document.errors[0].pos[0]);
    throw new UserError(document.errors[0].message, { place: `${path}:${line}:${col}`, remedy });
  }
  const count = z.number().int().nonnegative();
  const column = z.string().min(1);
  const schema = z.strictObject({
    name: z.string().refine(isDatasetName, 'letters, digits, ".", "_" and "-" only'),
    title: z.string(),
    homepage: z.string().optional(),
    terms: z.string(),
    citation: z.string().optional(),
    url: z.string().refine(isSafeUrl, 'must be an https url'),
    archive: z.enum(['zip', 'tar.gz', 'none']),
    bytes: count.optional(),
    md5: z.stringFormat('md5', /^[0-9a-f]{32}$/).optional(),
    sha256: z.stringFormat('sha256', /^[0-9a-f]{64}$/).optional(),
    member: z.string().refine(isSafeMember, 'must be a path inside the archive, without ".."').optional(),
    memberMd5: z.stringFormat('md5', /^[0-9a-f]{32}$/).optional(),
    read: z
      .strictObject({
        format: z.enum(FORMATS).optional(),
        delimiter: z.string().min(1).max(4).optional(),
        quote: z.string().min(1).max(4).optional(),
        header: z.boolean().optional(),
        user: column.optional(),
        item: column.optional(),
        time: column.optional(),
        order: column.optional(),
        timeUnit: z.enum(TIME_UNITS).optional(),
        timeFormat: column.optional(),
        events: column.optional(),
        duplicates: z.enum(DUPLICATES).optional(),
        where: z.array(z.string()).optional(),
      })
      .default({}),
    expected: z.strictObject({ users: count, items: count, interactions: count }).optional(),
  });
  const parsed = schema.safeParse(document.toJS());
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    const at = issue.path as (string | number)[];
    const unknown = issue.code === 'unrecognized_keys' ? [...at, issue.keys[0]!] : at;
    const node = document.getIn(unknown, true) as { range?: [number, number, number] } | undefined;
    const range = node?.range ?? (isMap(document.contents) ? document.contents.range : undefined);
    const where = range ? `:${lines.linePos(range[0]).line}:${lines.linePos(range[0]).col}` : '';
    throw new UserError(`${at.length > 0 ? `${at.join('.')}: ` : ''}${issue.message}`, {
      place: `${path}${where}`,
      remedy,
    });
  }
  const descriptor = parsed.data as Descriptor;
  if (descriptor.archive !== 'none' && descriptor.member === undefined)
    throw new UserError('an archive needs `member`: the file inside it', { place: path, remedy });
  return descriptor;
}

/** https anywhere; http only to this machine itself. */
export function isSafeUrl(text: string): boolean {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return false;
  }
  if (url.username !== '' || url.password !== '') return false;
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname);
}

/** A relative path that stays where it is unpacked. */
export function isSafeMember(path: string): boolean {
  return (
    path !== '' &&
    !/^([/\\]|[A-Za-z]:)/.test(path) &&
    !path.includes('\0') &&
    !path.split(/[/\\]/).some((part) => part === '..')
  );
}

/**
 * All descriptors by name: the package's, then those in `datasets` (which replace any of the same name).
 * @throws UserError where one of them is wrong, or its file is not called after its name.
 */
export async function loadCatalogue(datasets: string): Promise<Map<string, Descriptor>> {
  const shipped = join(packageRoot, 'datasets');
  const catalogue = new Map<string, Descriptor>();
  for (const folder of resolve(datasets) === resolve(shipped) ? [shipped] : [shipped, datasets])
    for (const file of yamlFiles(folder)) {
      const path = join(folder, file);
      const descriptor = await readDescriptor(path);
      if (descriptor.name !== basename(file, '.yaml'))
        throw new UserError(`the descriptor is named "${descriptor.name}", the file is not`, {
          place: path,
          remedy: `Call the file ${descriptor.name}.yaml.`,
        });
      catalogue.set(checkDatasetName(descriptor.name), descriptor);
    }
  return catalogue;
}

function yamlFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((file) => file.endsWith('.yaml') && !file.startsWith('.'))
      .sort();
  } catch {
    return [];
  }
}
