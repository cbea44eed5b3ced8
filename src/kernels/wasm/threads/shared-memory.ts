/**
 * WebAssembly modules on memory that threads share. A module says in its bytes whether its memory is shared, and neither tfjs's
 * nor ours does; nothing else in them depends on it. So the two bytes are written here (WebAssembly threads proposal, limits with
 * flag 3): one build of each module serves both.
 */

/** Pages of 64 KiB: 4 GiB, all that 32-bit addresses reach. Reserved, not used. */
const MOST_PAGES = 65_536;
const IMPORTS = 2;
const MEMORY = 5;
const SHARED = 3;
const MEMORY_KIND = 2;

/** The module with its memory, own or imported, shared and free to grow to 4 GiB. @throws RangeError for what is no module. */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = 8;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      if (byte === undefined) throw new RangeError('this WebAssembly module ends too early');
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
  };
  const limits = () => {
    const flags = module[at++]!;
    const least = number();
    if (flags & 1) number();
    return [SHARED, ...encoded(least), ...encoded(MOST_PAGES)];
  };
  const parts: (Uint8Array | number[])[] = [module.subarray(0, at)];
  while (at < module.length) {
    const begin = at;
    const section = module[at++];
    const size = number();
    const end = at + size;
    let body: number[] | undefined;
    if (section === MEMORY && number() === 1) body = [1, ...limits()];
    else if (section === IMPORTS) body = sharedImports(end);
    at = end;
    parts.push(body ? [section!, ...encoded(body.length), ...body] : module.subarray(begin, end));
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let to = 0;
  for (const part of parts) {
    bytes.set(part, to);
    to += part.length;
  }
  return bytes;

  /** The imports with the memory among them shared; undefined where there is none. */
  function sharedImports(end: number): number[] | undefined {
    const body: number[] = [];
    let found = false;
    const count = number();
    body.push(...encoded(count));
    for (let i = 0; i < count; i++) {
      const begin = at;
      // module and name, then what it is
      for (let text = 0; text < 2; text++) {
        const length = number();
        at += length;
      }
      const kind = module[at++]!;
      if (kind === MEMORY_KIND) {
        body.push(...module.subarray(begin, at), ...limits());
        found = true;
        continue;
      }
      // Functions are all else that our modules import: an index of a type.
      if (kind !== 0) return undefined;
      number();
      body.push(...module.subarray(begin, at));
    }
    return found && at === end ? body : undefined;
  }
}

/** LEB128. */
function encoded(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}

/**
 * Runs `open`, in which tfjs instantiates its module, with the memory of that module shared. tfjs offers no other way in than the
 * call itself; what anybody else instantiates meanwhile is left alone.
 */
export async function whileSharing<T>(open: () => Promise<T>): Promise<T> {
  const engine = WebAssembly as { instantiate: (bytes: unknown, imports?: unknown) => Promise<unknown> };
  const { instantiate } = engine;
  engine.instantiate = (bytes, imports) => {
    const isTfjs = 'emscripten_memcpy_big' in ((imports as { env?: object })?.env ?? {});
    const patched = isTfjs && ArrayBuffer.isView(bytes) ? withSharedMemory(bytes as Uint8Array) : bytes;
    return instantiate.call(WebAssembly, patched, imports);
  };
  try {
    return await open();
  } finally {
    engine.instantiate = instantiate;
  }
}
