import { expect } from 'chai';
import type { Subscription } from '../../../pkg/model/subscription.ts';
import { Places } from '../../../pkg/service/subscription/places.ts';
import type { Attempted } from '../../../pkg/service/subscription/sender.ts';
import { subscriptionTo } from '../../support/subscriptions.ts';

const TIMEOUT_MS = 1_000;
const SILENT = { response_code: null, latency_ms: 1_001 } as Attempted;
const ANSWERED = { response_code: 503, latency_ms: 999 } as Attempted;
const REFUSED = { response_code: null, latency_ms: 1 } as Attempted;

describe('places of lanes', () => {
  const placesOf = (more: object = {}): Places => new Places({ lanes: 20, lanes_of_one: 8, host_connections: 10, ...more });
  const on = (host: string): Subscription => subscriptionTo(`https://${host}/hook`);

  /** How many lanes it gets until it is refused. */
  function take(places: Places, one: Subscription): number {
    let count = 0;
    while (places.enter(one)) count += 1;
    return count;
  }

  /** One lane that came to this. */
  function note(places: Places, one: Subscription, attempted: Attempted): void {
    places.enter(one);
    places.note(one.id, attempted, TIMEOUT_MS);
    places.leave(one.id);
  }

  it('are given to one subscription up to its limit, half of the connections of its host, and all there are', () => {
    expect(take(placesOf({ lanes_of_one: 3 }), on('a.example'))).to.equal(3);
    expect(take(placesOf(), on('a.example'))).to.equal(5);
    expect(take(placesOf({ host_connections: 1 }), on('a.example'))).to.equal(1);
    expect(take(placesOf({ lanes: 2 }), on('a.example'))).to.equal(2);
  });

  it('are free again when they are left', () => {
    const [places, one] = [placesOf(), on('a.example')];
    take(places, one);
    expect(places.full()).to.deep.equal([one.id]);
    places.leave(one.id);
    expect([places.full(), take(places, one), places.room]).to.deep.equal([[], 1, 15]);
  });

  it('are one for who is silent, until there is an answer, whatever it says', () => {
    const [places, one] = [placesOf(), on('a.example')];
    note(places, one, REFUSED);
    expect(places.roomOf(one.id)).to.equal(5);
    note(places, one, SILENT);
    expect(take(places, one)).to.equal(1);
    places.note(one.id, ANSWERED, TIMEOUT_MS);
    expect(take(places, one)).to.equal(4);
  });

  it('are one for who failed before this process began', () => {
    expect(take(placesOf(), { ...on('a.example'), failing_since: '2026-11-21T12:00:00.000000Z' })).to.equal(1);
  });

  it('are half of those of a host, and of all, for all that are silent together', () => {
    const places = placesOf();
    const silent = (host: string, count: number) => {
      const all = Array.from({ length: count }, () => on(host));
      for (const one of all) note(places, one, SILENT);
      return all.filter((one) => places.enter(one)).length;
    };
    expect(silent('a.example', 9)).to.equal(5);
    expect(take(places, on('a.example')), 'who answers has the other half').to.equal(5);
    expect([silent('b.example', 3), silent('c.example', 9)]).to.deep.equal([3, 2]);
    expect(take(places, on('d.example')), 'and so elsewhere').to.equal(5);
  });
});
