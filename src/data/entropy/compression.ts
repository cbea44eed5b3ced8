/** How well a general compressor does on a stream of items: the DEFLATE size of their 4-byte big-endian numbers over the plain size. */
import { deflateSync } from 'node:zlib';

/** Items a block: DEFLATE looks back 32 KiB only, so blocks of 64 MiB change the ratio by less than 1e-5 and bound the memory. */
const BLOCK = 1 << 24;

/** Compressed bytes over plain bytes (smaller is more regular), zlib at its default level. NaN for an empty stream. */
export function compressionRatio(items: Int32Array): number {
  if (items.length === 0) return Number.NaN;
  let bytes = 0;
  for (let from = 0; from < items.length; from += BLOCK) {
    const block = Buffer.from(items.slice(from, from + BLOCK).buffer);
    if (LITTLE_ENDIAN) block.swap32();
    bytes += deflateSync(block).length;
  }
  return bytes / (4 * items.length);
}

const LITTLE_ENDIAN = new Uint8Array(Int32Array.of(1).buffer)[0] === 1;
