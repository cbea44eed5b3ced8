/** Claims a folder again and again; says so on stdout when somebody alive is inside at the same time. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryClaim } from '../../../dist/sweep/store/claim.js';

const [folder, rounds] = process.argv.slice(2);
/** A killed process that its parent has not heard of yet does nothing any more. */
const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch (error) {
    return error.code === 'EPERM' || (error.code === 'ENOENT' && process.platform !== 'linux');
  }
};
process.stdout.write('ready\n');
let entered = 0;
while (entered < Number(rounds)) {
  const claim = tryClaim(folder);
  if (!claim) {
    await sleep(Math.random() * 5);
    continue;
  }
  const own = `inside-${process.pid}`;
  writeFileSync(join(folder, own), '');
  for (const name of readdirSync(folder))
    if (name.startsWith('inside-') && name !== own && alive(Number(name.slice(7))))
      process.stdout.write(`${own} met ${name}\n`);
  await sleep(Math.random() * 4);
  rmSync(join(folder, own));
  claim.release();
  entered++;
}
process.stdout.write(`entered ${entered}\n`);
