/** A tar.gz with the given entries, for tests. */
import { gzipSync } from 'node:zlib';

export function tarGz(entries: { name: string; data?: string; type?: string; link?: string }[]): Buffer {
  const blocks = entries.map(({ name, data = '', type = '0', link = '' }) => {
    const body = Buffer.from(data);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write(type, 156);
    header.write(link, 157);
    header.write('ustar\0' + '00', 257);
    header.fill(' ', 148, 156);
    header.write(
      `${header
        .reduce((a, b) => a + b)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    );
    return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
