import { expect } from 'chai';
import type { Daemon } from './daemon.ts';

/** Some points come a little after a journey is over: then others follow until the daemon is dead. */
const TRIES = 4;

/**
 * Plays journeys with a daemon that has been told to kill itself somewhere on the way, has it followed by another, and
 * waits until the journey that was under way has come to its end with that one.
 */
export async function playOverDeath(daemon: Daemon, journey: () => Promise<void>, follow: () => Promise<void>): Promise<void> {
  let dead = false;
  const exited = daemon.exited.finally(() => {
    dead = true;
  });
  const journeys = (async () => {
    for (let tries = 0; tries === 0 || !dead; tries += 1) {
      if (tries === TRIES) throw new Error('the point was not reached');
      await journey();
    }
  })();
  const { signal } = await Promise.race([exited, journeys.then(() => exited)]);
  expect(signal).equal('SIGKILL');
  await follow();
  await journeys;
}
