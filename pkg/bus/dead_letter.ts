/** Where messages go that a handler refused for good, beside the queue that they came from. */
export function deadLetterQueue(queue: string): string {
  return `${queue}.dead-letter`;
}

/** What a message that was set aside bears besides its own headers, properties and body. */
export const ASIDE = {
  reason: 'x-reason',
  queue: 'x-original-queue',
  routing_key: 'x-original-routing-key',
  time: 'x-set-aside-at',
} as const;

/** How often an operator has sent it back. */
export const RETRIES = 'x-retries';

/** A header table must fit into 64 KiB; a reason is for people. */
const MAX_REASON = 1_000;

export function deadLetterHeaders(reason: string, queue: string, routing_key: string): Record<string, string> {
  return {
    [ASIDE.reason]: reason.slice(0, MAX_REASON),
    [ASIDE.queue]: queue,
    [ASIDE.routing_key]: routing_key,
    [ASIDE.time]: new Date().toISOString(),
  };
}

/**
 * Headers as they were before it was set aside, and one more retry. What came by an exchange goes back by the queue's own
 * name: its routing key stays in a header, for whoever goes by it.
 */
export function retryHeaders(headers: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { [ASIDE.reason]: _reason, [ASIDE.queue]: queue, [ASIDE.routing_key]: key, [ASIDE.time]: _time, ...own } = headers;
  return { ...own, [RETRIES]: retriesOf(headers) + 1, ...(key !== queue && { [ASIDE.routing_key]: key }) };
}

export function retriesOf(headers: Readonly<Record<string, unknown>>): number {
  const retries = headers[RETRIES];
  return typeof retries === 'number' ? retries : 0;
}
