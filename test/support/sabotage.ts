/** Daemons that break a promise, each in one way: see faults.ts. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Adapters } from '../../cmd/daemon/adapters.ts';
import type { ActiveflowStore } from '../../pkg/service/ports.ts';
import { overriding } from './overriding.ts';

type Sabotage = (adapters: Adapters) => Adapters;

export const SABOTAGES: { readonly [name: string]: Sabotage } = {
  /** Says that a commit is through, and writes it a little later. */
  'answer-before-commit': inActiveflows(({ commit }) => ({
    commit: async (change) => {
      sleep(30)
        .then(() => commit(change))
        .catch(ignore);
      return true;
    },
  })),
  /** Forgets what requests were answered. */
  'forget-answers': inActiveflows(({ commit }) => ({
    commit: (change) => commit({ ...change, next: { ...change.next, state: { ...change.next.state, answers: [] } } }),
  })),
  /** Writes over what somebody else has written meanwhile. */
  'blind-commit': inActiveflows(({ commit, get }) => ({
    commit: async (change) => {
      for (let next = change.next; ; ) {
        if (await commit({ ...change, next })) return true;
        const row = await get(next.id);
        if (!row) return false;
        next = { ...next, revision: row.revision + 1 };
      }
    },
  })),
  /** Nobody takes over what a dead process was at, and no timer fires. */
  'no-lease': inActiveflows(() => ({ claimDue: async () => [] })),
  /** Loses one timer or lease in twenty, until its new lease is out. */
  'lose-due': inActiveflows(({ claimDue }) => ({
    claimDue: async (limit, lease_ms) => (await claimDue(limit, lease_ms)).filter(() => Math.random() > 0.05),
  })),
  /** Fires what is not due yet: the clock is ahead of the database's. */
  'fast-clock': (adapters) => ({
    ...adapters,
    store: overriding(adapters.store, {
      clockOffset: async () => (await adapters.store.clockOffset()) - 400,
    }),
  }),
  /** Says that one publish in fifty is done, and does nothing. */
  'drop-publish': (adapters) =>
    withBus(adapters, (bus) => ({ publish: async (messages) => (Math.random() < 0.02 ? undefined : bus.publish(messages)) })),
  /** Each copy of an event has an id of its own. */
  'new-message-ids': (adapters) =>
    withBus(adapters, (bus) => ({
      publish: (messages) => bus.publish(messages.map((message) => ({ ...message, message_id: randomUUID() }))),
    })),
  /** Events overtake each other. */
  'late-publish': (adapters) =>
    withBus(adapters, (bus) => ({
      publish: async (messages) => {
        sleep(Math.random() * 100)
          .then(() => bus.publish(messages))
          .catch(ignore);
      },
    })),
  /** A sibling cannot tell a repeat. */
  'fresh-request-ids': (adapters) =>
    withBus(adapters, (bus) => ({
      request: (queue, body, options) =>
        bus.request(queue, JSON.stringify({ ...(JSON.parse(body) as object), request_id: randomUUID() }), options),
    })),
  /** Cannot do without the broker. */
  'fall-with-broker': (adapters) =>
    withBus(adapters, (bus) => ({
      publish: (messages) => bus.publish(messages).catch(() => process.exit(1)),
    })),
  /** Cannot do without Redis. */
  'lean-on-redis': (adapters) => ({
    ...adapters,
    store: overriding(adapters.store, {
      flows: overriding(adapters.store.flows, {
        get: async (id) => {
          await adapters.cache.check();
          return adapters.store.flows.get(id);
        },
      }),
    }),
  }),
};

/** Leaves without a word when it is asked to stop: takes effect in faulty-daemon.ts. */
export const LEAVE_AT_ONCE = 'leave-at-once';

function inActiveflows(change: (inner: ActiveflowStore) => Partial<ActiveflowStore>): Sabotage {
  return (adapters) => {
    const { activeflows } = adapters.store;
    const inner = overriding<ActiveflowStore>(activeflows, {});
    return { ...adapters, store: overriding(adapters.store, { activeflows: overriding(activeflows, change(inner)) }) };
  };
}

function withBus(adapters: Adapters, change: (bus: Adapters['bus']) => Partial<Adapters['bus']>): Adapters {
  return { ...adapters, bus: overriding(adapters.bus, change(adapters.bus)) };
}

function ignore(): void {}
