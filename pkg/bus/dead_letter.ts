/** Where messages go that a handler refused for good, beside the queue that they came from. */
export function deadLetterQueue(queue: string): string {
  return `${queue}.dead-letter`;
}

/** A header table must fit into 64 KiB; a reason is for people. */
const MAX_REASON = 1_000;

export function deadLetterHeaders(reason: string, queue: string, routing_key: string): Record<string, string> {
  return { 'x-reason': reason.slice(0, MAX_REASON), 'x-original-queue': queue, 'x-original-routing-key': routing_key };
}
