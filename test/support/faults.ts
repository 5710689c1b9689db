/**
 * Faults put around the ports of a daemon, from outside of its code.
 *
 * A crash point names a place and a count, such as `after activeflows.commit 2`: the process kills itself (SIGKILL)
 * right after the second call of that port has returned. `handler` stands for the handling of a delivery: after it
 * there is an answer that is not sent yet. A call that came back with an empty list is not counted: polling for what
 * is due goes on all the time.
 *
 * A poison is a text that kills the process when a port is asked to do something with it.
 *
 * A sabotage breaks one promise on purpose, to show that its test notices:
 *   FLOW_SABOTAGE=drop-publish npx mocha test/fault/events.test.ts    must fail
 */
import type { Adapters } from '../../cmd/daemon/adapters.ts';
import type { Delivery, Verdict } from '../../pkg/service/ports.ts';
import { overriding } from './overriding.ts';
import { SABOTAGES } from './sabotage.ts';

type Call = (...args: unknown[]) => unknown;
type Serve = Adapters['bus']['serve'];

export class CrashPoint {
  /** What no process outlives being asked to store; empty: nothing is. */
  poison = '';
  #when = '';
  #place = '';
  #left = 0;

  /** `before|after <port>.<method> <n>`: counting begins anew. */
  arm(text: string): void {
    const [when = '', place = '', nth = '1'] = text.split(' ');
    this.#when = when;
    this.#place = place;
    this.#left = Number(nth);
  }

  pass(when: 'before' | 'after', place: string): void {
    if (when !== this.#when || place !== this.#place) return;
    this.#left -= 1;
    if (this.#left === 0) process.kill(process.pid, 'SIGKILL');
  }
}

/** The same adapters with a crash point at each call, and broken by the sabotage of this name, if any. */
export function withFaults(adapters: Adapters, point: CrashPoint, sabotage = ''): Adapters {
  const broken = sabotage === '' ? adapters : sabotaged(adapters, sabotage);
  return {
    store: watched('', broken.store, point),
    cache: broken.cache,
    bus: servedThrough(watched('bus.', broken.bus, point), point),
    openBus: broken.openBus,
  };
}

function sabotaged(adapters: Adapters, name: string): Adapters {
  const sabotage = SABOTAGES[name];
  if (!sabotage) throw new Error(`no sabotage ${name}: expected one of ${Object.keys(SABOTAGES).join(', ')}`);
  return sabotage(adapters);
}

/** Each method counted under its name; what is no method (`store.flows`) is watched in the same way. */
function watched<T extends object>(prefix: string, target: T, point: CrashPoint): T {
  return new Proxy(target, {
    get(_, member) {
      // Private fields and getters need the object itself, not the proxy.
      const value: unknown = Reflect.get(target, member, target);
      if (typeof member !== 'string' || value === null) return value;
      if (typeof value === 'object') return watched(`${prefix}${member}.`, value, point);
      if (typeof value !== 'function') return value;
      return async (...args: unknown[]) => {
        const place = prefix + member;
        point.pass('before', place);
        if (point.poison !== '' && JSON.stringify(args).includes(point.poison)) process.kill(process.pid, 'SIGKILL');
        const result: unknown = await Reflect.apply(value as Call, target, args);
        if (!Array.isArray(result) || result.length > 0) point.pass('after', place);
        return result;
      };
    },
  });
}

function servedThrough(bus: Adapters['bus'], point: CrashPoint): Adapters['bus'] {
  return overriding(bus, {
    serve: (queue, handler, options) =>
      bus.serve(
        queue,
        async (delivery: Delivery): Promise<Verdict> => {
          point.pass('before', 'handler');
          const verdict = await handler(delivery);
          point.pass('after', 'handler');
          return verdict;
        },
        options,
      ),
  } satisfies { serve: Serve });
}
