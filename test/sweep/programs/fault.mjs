/**
 * Loaded before a program (`NODE_OPTIONS=--import`), it ends it with SIGKILL in the middle of a chosen change to the file
 * system, or lets the disk be full from that change on (`full`). PERFLAW_FAULT holds JSON: `role` (`command` or `trial`: whom it strikes), `at` (which change, from 1; an odd `half`
 * strikes a write with half its bytes out, a rename or link just before, an even one just after), `token` (a file
 * made by whoever strikes first: nobody strikes twice; it names the change), `log` (a file that counts the changes instead).
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { threadId } from 'node:worker_threads';

const { role, at, half, token, log, full } = JSON.parse(process.env['PERFLAW_FAULT'] ?? '{}');
const own = /trial[^/]*$/.test(process.argv[1] ?? '') ? 'trial' : 'command';

if (role === own && threadId === 0) {
  const real = { ...fs };
  let changes = 0;
  /** Node's own functions call each other. */
  let inside = false;
  /** Asked before anything is done: half a write by a process that then lives on would be the damage it looks for. */
  const isFirst = (what) => {
    try {
      real.writeFileSync(token, `${own} ${process.pid} ${what}\n`, { flag: 'wx' });
      return true;
    } catch {
      return false;
    }
  };
  const strike = () => {
    process.kill(process.pid, 'SIGKILL');
    // The signal may take a moment to arrive: nothing more may be done until then.
    for (;;);
  };
  /** What a full disk still allows. */
  const allowed = new Set(['renameSync', 'rmSync', 'utimesSync', 'fsyncSync']);
  const refuse = (name) => {
    throw Object.assign(new Error(`ENOSPC: no space left on device, ${name}`), {
      code: 'ENOSPC',
      errno: -28,
    });
  };
  const patch = (name, before) => {
    fs[name] = (...args) => {
      const standard = name === 'writeSync' && args[0] <= 2;
      if (inside || standard || (name === 'openSync' && !/[wa]/.test(String(args[1]))))
        return real[name](...args);
      inside = true;
      const due = ++changes === at && !full;
      if (full && changes >= at && !allowed.has(name)) {
        inside = false;
        refuse(name);
      }
      if (log) real.appendFileSync(log, `${name} ${typeof args[0] === 'string' ? args[0] : ''}\n`);
      if (due && half % 2 === 1 && isFirst(`${name} ${args[0]}`)) {
        before?.(...args);
        strike();
      }
      try {
        const result = real[name](...args);
        if (due && half % 2 === 0 && isFirst(`after ${name} ${args[0]}`)) strike();
        return result;
      } finally {
        inside = false;
      }
    };
  };
  const partOf = (data) =>
    typeof data === 'string' ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  patch('writeSync', (file, data, from = 0) => {
    const bytes = partOf(data);
    real.writeSync(file, bytes, from, Math.floor((bytes.length - from) / 2));
  });
  patch('writeFileSync', (path, data, options) => {
    const bytes = partOf(data);
    real.writeFileSync(path, bytes.subarray(0, bytes.length / 2), options);
  });
  for (const name of ['openSync', 'fsyncSync', 'renameSync', 'linkSync', 'rmSync', 'utimesSync', 'mkdirSync'])
    patch(name);
  syncBuiltinESMExports();
}
