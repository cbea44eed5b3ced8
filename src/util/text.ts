/** How the bytes of a text file are written. */

/**
 * UTF-16 by its byte-order mark, or by zeros in every other byte of what is mostly ASCII; undefined for everything else.
 * @param head the first bytes of the file: some thousand are enough.
 */
export function wideEncoding(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head.length < 4) return undefined;
  const mark = head.readUInt16BE(0);
  if (mark === 0xfffe && head.readUInt16BE(2) !== 0) return 'utf-16le';
  if (mark === 0xfeff) return 'utf-16be';
  const zeros = [0, 0];
  for (let i = 0; i < head.length; i++) if (head[i] === 0) zeros[i & 1]!++;
  const few = head.length / 100;
  if (zeros[1]! > 0.3 * head.length && zeros[0]! < few) return 'utf-16le';
  if (zeros[0]! > 0.3 * head.length && zeros[1]! < few) return 'utf-16be';
  return undefined;
}
