import type { Json } from '../../model/json.ts';

/** What a message was sent with besides its headers; absent: without. */
export interface DelayedProperties {
  readonly message_id?: string;
  readonly correlation_id?: string;
  readonly reply_to?: string;
  readonly content_type?: string;
  /** How `body` stands for bytes that are no UTF-8. */
  readonly encoding?: 'base64';
}

/** Messages for later: what the broker's delay exchange holds when the broker has no plugin for it. */
export interface DelayedMessage {
  /** The row's own. Of a message that has no id: its content's hash, a slash, and something that no other one has. */
  readonly id: string;
  readonly queue: string;
  readonly body: string;
  readonly headers: { readonly [name: string]: Json };
  readonly properties: DelayedProperties;
}

export interface DelayStore {
  /** The same id again: nothing, the first one stands. `open`: it is not known yet whether its delivery is acknowledged. */
  add(message: DelayedMessage, delay_ms: number, open?: 'open'): Promise<void>;
  /** Rows `<content>/…` that are open. */
  open(content: string): Promise<string[]>;
  /** Its delivery is acknowledged: an equal message is another one from now on. */
  settled(id: string): Promise<void>;
  claim(limit: number, lease_ms: number): Promise<DelayedMessage[]>;
  done(ids: readonly string[]): Promise<void>;
}

/** How often messages came again, counted before they are worked on: one that crashes its reader must not loop. */
export interface RedeliveryStore {
  /** Counts it, where it has not come again before: true. */
  first(id: string): Promise<boolean>;
  /** Counts one more and answers how often it came again so far, this time included. */
  count(id: string): Promise<number>;
}
