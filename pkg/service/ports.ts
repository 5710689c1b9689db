/**
 * What the use cases need of the world. Store, cache, bus, sibling and http implement these; the composition
 * root joins them. One contract suite per port runs against each of its adapters.
 */
export * from './ports/activeflow.ts';
export * from './ports/bus.ts';
export * from './ports/callback.ts';
export * from './ports/flow.ts';
export * from './ports/http.ts';
export * from './ports/message.ts';
export * from './ports/page.ts';
export * from './ports/participant.ts';
export * from './ports/process.ts';
export * from './ports/store.ts';
export * from './ports/subscription.ts';
export * from './ports/upkeep.ts';
export * from './ports/workflow.ts';
