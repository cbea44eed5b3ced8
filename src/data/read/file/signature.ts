/** What a file that is no table is, by its first bytes: named, with the way to a table. */
import { UserError } from '../../../util/errors.js';

const UNPACK = 'Unpack it by hand, and name the table inside.';
const EXPORT = 'Write its rows as CSV, JSON lines or Parquet first.';

/** First bytes (as Latin-1), what they are the beginning of, and what to do. */
const SIGNATURES: [bytes: string, what: string, remedy: string][] = [
  ['BZh', 'a bzip2 file', 'Unpack it first: bunzip2 FILE.'],
  ['\xfd7zXZ\0', 'an xz file', 'Unpack it first: unxz FILE.'],
  ['7z\xbc\xaf\x27\x1c', 'a 7z archive', UNPACK],
  ['Rar!\x1a\x07', 'a rar archive', UNPACK],
  ['\x04\x22\x4d\x18', 'an lz4 file', 'Unpack it first: lz4 -d FILE.'],
  ['\xd0\xcf\x11\xe0', 'an old Excel workbook (.xls)', 'Save the sheet as CSV.'],
  ['SQLite format 3\0', 'an SQLite database', EXPORT],
  ['\x89HDF\r\n', 'an HDF5 file', EXPORT],
  ['\x93NUMPY', 'a NumPy array', EXPORT],
  ['ARROW1', 'an Arrow (Feather) file', EXPORT],
  ['FEA1', 'a Feather file', EXPORT],
  ['ORC', 'an ORC file', EXPORT],
  ['Obj\x01', 'an Avro file', EXPORT],
  ['%PDF-', 'a PDF document', EXPORT],
  ['version https://git-lfs', 'a pointer of Git LFS, not the file itself', 'Get the file: git lfs pull.'],
];

/**
 * Refuses what is known and no table: archives, workbooks, databases, web pages.
 * @throws UserError that names what it is.
 */
export function refuseKnown(head: Buffer, path: string): void {
  const text = head.toString('latin1', 0, 4096);
  const refuse = (what: string, remedy: string) => {
    throw new UserError(`${what}, not a table`, { place: path, remedy });
  };
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    const whole = head.toString('latin1');
    if (/xl\/|\[Content_Types\]\.xml/.test(whole))
      refuse('an Excel workbook (.xlsx)', 'Save the sheet as CSV.');
    if (whole.includes('opendocument.spreadsheet'))
      refuse('an OpenDocument sheet (.ods)', 'Save the sheet as CSV.');
    refuse('a zip archive', 'Unpack it, or use `perflaw data fetch NAME --from-file ARCHIVE`.');
  }
  for (const [bytes, what, remedy] of SIGNATURES) if (text.startsWith(bytes)) refuse(what, remedy);
  if (head[0] === 0x80 && head[1]! >= 2 && head[1]! <= 5) refuse('a Python pickle', EXPORT);
  if (head.toString('latin1', 257, 262) === 'ustar') refuse('a tar archive', UNPACK);
  if (/^\s*<(!doctype html|html|\?xml)/i.test(text))
    refuse(
      /^\s*<\?xml/i.test(text) ? 'an XML file' : 'a web page',
      'Was it downloaded from where the data really are?',
    );
}
