/** Claims for processes that nobody would start a second time: they wait until a dead owner is proven dead. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Claim, ClaimWatch, readClaim, STALE_SECONDS, tryClaim } from './claim.js';

/**
 * Claims a trial's folder whose owner may have died on another machine: waits until its heartbeat has stood still for long
 * enough, or gives up as soon as it is heard.
 * @param provenDead token of a claim whose heartbeat somebody saw standing still.
 * @param since when the work for it began, as for `tryClaim`.
 * @returns undefined when somebody else is alive and at work.
 * @throws UserError when the folder cannot be written.
 */
export async function awaitClaim(
  folder: string,
  provenDead?: string,
  staleSeconds = STALE_SECONDS,
  since?: number,
): Promise<Claim | undefined> {
  const watch = new ClaimWatch(staleSeconds);
  const first = readClaim(folder);
  for (let dead = provenDead; ; ) {
    const claim = tryClaim(folder, dead, since);
    if (claim) return claim;
    const { state, token, beat } = readClaim(folder);
    // Released or superseded in between: one more try tells which.
    if (state === 'alive' || token !== first.token || beat !== first.beat)
      return tryClaim(folder, undefined, since);
    const looked = watch.look(folder);
    dead = looked.state === 'dead' ? looked.token : undefined;
    if (dead === undefined) await sleep(Math.min(2000, staleSeconds * 100));
  }
}
