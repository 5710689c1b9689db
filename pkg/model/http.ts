import type { Json } from './json.ts';

/** A request to an address that a customer chose. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Besides those of the client; the names of hop-by-hop headers, and Host, are refused. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Added to the query of the URL, in this order. */
  readonly query?: readonly (readonly [string, string])[];
  /** Sent as JSON. */
  readonly body?: Json;
  /** Sent as it is, instead of `body`. */
  readonly text?: string;
  /** From asking to the last byte of the answer; default 10,000. */
  readonly timeout_ms?: number;
}
