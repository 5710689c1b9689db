import type { Json } from '../../model/json.ts';

/** A message that was delivered to this process and is not acknowledged yet. */
export interface Delivery {
  readonly body: Uint8Array;
  /** Empty: nobody waits for an answer. */
  readonly reply_to: string;
  readonly correlation_id: string;
  readonly message_id: string;
  readonly redelivered: boolean;
  readonly headers: { readonly [name: string]: unknown };
  readonly routing_key: string;
  /** Absent: none was given. */
  readonly content_type?: string;
}

export interface OutgoingMessage {
  /** Empty: the default exchange, where the routing key names a queue. */
  readonly exchange: string;
  readonly routing_key: string;
  readonly body: string;
  /** How `body` stands for bytes; default utf8. */
  readonly encoding?: 'base64';
  readonly message_id?: string;
  readonly correlation_id?: string;
  readonly reply_to?: string;
  /** default application/json */
  readonly content_type?: string;
  readonly headers?: { readonly [name: string]: Json };
  readonly expiration_ms?: number;
}

/** What a handler wants done with a delivery, after which it is acknowledged. */
export type Verdict =
  | {
      readonly kind: 'done';
      readonly reply?: string;
      /** Called when it was acknowledged (true), or could not be, so that it will come again. */
      readonly settled?: (acknowledged: boolean) => void;
    }
  /** Set aside to the dead-letter queue with its reason; `reply` goes to who waits for an answer. */
  | { readonly kind: 'dead'; readonly reason: string; readonly reply?: string }
  /** Given back: another process, or this one later, shall have it. */
  | { readonly kind: 'requeue' };

export interface Serving {
  /** Takes no more, waits for what is under way, then closes. */
  close(): Promise<void>;
}

export class BusError extends Error {
  /** timeout: no answer in time; unroutable: no such queue; closed: connection lost or closing. */
  readonly code: 'timeout' | 'unroutable' | 'closed';

  constructor(code: BusError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BusError';
    this.code = code;
  }
}

export interface Bus {
  /**
   * Consumes a durable queue; `bind` names durable fanout exchanges it is bound to. Survives reconnects.
   * `transient`: a queue as siblings declare theirs, not durable and gone with its last consumer.
   */
  serve(
    queue: string,
    handler: (delivery: Delivery) => Promise<Verdict>,
    options: { readonly prefetch: number; readonly bind?: readonly string[]; readonly transient?: boolean },
  ): Promise<Serving>;
  /** Sends a request and resolves with the body of the answer. Throws BusError. */
  request(
    queue: string,
    body: string,
    options: { readonly timeout_ms: number; readonly message_id: string },
  ): Promise<Uint8Array>;
  /** Resolves when the broker has taken all of them; throws BusError when any outcome is unknown. */
  publish(messages: readonly OutgoingMessage[]): Promise<void>;
  /** Declares a durable fanout exchange, or uses it as it is. */
  declareExchange(exchange: string): Promise<void>;
  /**
   * Sends a message to a queue after a delay, by the broker's delay exchange. Resolves when it is safe there.
   */
  delay(queue: string, body: string, delay_ms: number, message_id: string): Promise<void>;
  /** Throws when the broker cannot be reached. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export interface SiblingRequest {
  readonly to: string;
  readonly method: string;
  readonly uri: string;
  readonly data?: Json;
  /** The same for the same step, whatever crashes: siblings drop repeats by it. */
  readonly request_id: string;
  readonly timeout_ms: number;
}

/** Requests to the other managers. Throws FlowError: UNAVAILABLE when silent or unreachable, else what it answered. */
export interface Siblings {
  request(request: SiblingRequest): Promise<Json>;
  /** Sends it and waits for no answer, only for the broker. */
  send(request: SiblingRequest): Promise<void>;
}
