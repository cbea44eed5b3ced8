/**
 * The safetensors file format: 8 bytes of header length, a JSON header {name: {dtype, shape, data_offsets}}, raw
 * little-endian values. Every framework reads it, and nothing in it can run code.
 */
import { UserError } from '../../util/errors.js';

export interface StoredTensor {
  shape: number[];
  values: Float32Array;
}

export interface TensorFile {
  tensors: Map<string, StoredTensor>;
  /** Free texts by name. */
  metadata: Record<string, string>;
}

/** Headers larger than this are not believed. */
const MAX_HEADER = 100_000_000;

/** The bytes of a file of float32 tensors. */
export function encodeSafetensors({ tensors, metadata }: TensorFile): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape, values }] of tensors) {
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + values.byteLength] };
    offset += values.byteLength;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  // Padded with spaces, so that the values start at a multiple of 8.
  const headerLength = Math.ceil(text.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + offset).fill(0x20, 8, 8 + headerLength);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.set(text, 8);
  let at = 8 + headerLength;
  for (const { values } of tensors.values()) {
    bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return bytes;
}

/**
 * Reads a file; float64, float16 and bfloat16 tensors become float32, tensors of whole numbers are left out.
 * @param place the file's path, for messages.
 * @throws UserError when the bytes are not a whole safetensors file.
 */
export function decodeSafetensors(bytes: Uint8Array, place: string): TensorFile {
  const broken = (why: string) =>
    new UserError(`not a whole safetensors file: ${why}`, {
      place,
      remedy: 'Write the file again from its source.',
    });
  if (bytes.length < 8) throw broken(`it has ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerLength = Number(view.getBigUint64(0, true));
  if (headerLength > MAX_HEADER || 8 + headerLength > bytes.length) throw broken('its header is cut off');
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + headerLength)));
  } catch {
    throw broken('its header is not JSON');
  }
  if (!isObject(header)) throw broken('its header is no table');
  const file: TensorFile = { tensors: new Map(), metadata: {} };
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!isObject(entry) || !Object.values(entry).every((text) => typeof text === 'string'))
        throw broken('its metadata are not texts');
      file.metadata = entry as Record<string, string>;
      continue;
    }
    if (!isObject(entry)) throw broken(`the tensor '${name}' is not described`);
    const { dtype, shape, data_offsets: range } = entry as Record<string, unknown>;
    const width = WIDTHS.get(dtype);
    if (width === undefined) continue;
    if (!isSizes(shape) || !isSizes(range)) throw broken(`the tensor '${name}' has no shape or no place`);
    const size = shape.reduce((a, b) => a * b, 1);
    const [from, to] = range as [number, number];
    if (range.length !== 2 || to - from !== size * width || 8 + headerLength + to > bytes.length)
      throw broken(`the tensor '${name}' does not lie within it`);
    const data = bytes.subarray(8 + headerLength + from, 8 + headerLength + to);
    file.tensors.set(name, { shape, values: toFloat32(data, dtype as Dtype, size) });
  }
  return file;
}

type Dtype = 'F32' | keyof typeof READERS;

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

const WIDTHS = new Map<unknown, number>([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
]);

function toFloat32(bytes: Uint8Array, dtype: Dtype, size: number): Float32Array {
  // A copy, whose beginning is aligned.
  if (dtype === 'F32') return new Float32Array(new Uint8Array(bytes).buffer);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: size }, (_, i) => READERS[dtype](data, i));
}

const READERS = {
  F64: (data: DataView, i: number) => data.getFloat64(8 * i, true),
  F16: (data: DataView, i: number) => halfToNumber(data.getUint16(2 * i, true)),
  BF16: (data: DataView, i: number) => {
    const spread = new DataView(new ArrayBuffer(4));
    spread.setUint32(0, data.getUint16(2 * i, true) << 16);
    return spread.getFloat32(0);
  },
};

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
