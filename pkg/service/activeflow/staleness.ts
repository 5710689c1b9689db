/** The part of a newest sighting in the share. */
const WEIGHT = 0.05;
/** From here on a read costs less than the races that are lost without it. */
const COMMON = 0.2;

/**
 * How often rows that are remembered have been changed by another process meanwhile: hardly ever while one process has
 * a table for itself, mostly when a broker gives the requests of one activeflow to several by turns.
 */
export class Staleness {
  #share = 0;

  saw(stale: boolean): void {
    this.#share += ((stale ? 1 : 0) - this.#share) * WEIGHT;
  }

  get isCommon(): boolean {
    return this.#share > COMMON;
  }
}
