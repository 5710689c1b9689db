/**
 * The one hierarchy of errors. A door maps `status` to the wire; nobody matches on messages.
 * Retryable or terminal is in the type: `retryable` says whether the same request may succeed later.
 */
export const STATUS_CODES = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PAYMENT_REQUIRED: 402,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  ALREADY_EXISTS: 409,
  FAILED_PRECONDITION: 409,
  /** It was there, and is over. */
  GONE: 410,
  PAYLOAD_TOO_LARGE: 413,
  /** A key of idempotency that was used for another request. */
  UNPROCESSABLE: 422,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNAVAILABLE: 503,
} as const;

export type Status = keyof typeof STATUS_CODES;

/** What is wrong with one part of a request. */
export interface ErrorDetail {
  /** JSON Pointer into the request's data, or the name of a part of the URI. */
  readonly field: string;
  readonly value?: unknown;
  readonly expected?: string;
}

const BRAND = Symbol.for('flow-manager.FlowError');

export class FlowError extends Error {
  readonly [BRAND] = true;
  readonly status: Status;
  /** One word in capitals that says what happened, for programs: `ACTIVEFLOW_NOT_FOUND`. */
  readonly reason: string;
  readonly details: readonly ErrorDetail[];

  constructor(status: Status, reason: string, message: string, details: readonly ErrorDetail[] = [], options?: ErrorOptions) {
    super(message, options);
    this.name = 'FlowError';
    this.status = status;
    this.reason = reason;
    this.details = details;
  }

  /**
   * A process may hold two copies of this module: what is loaded when it is first needed is imported, what a test
   * runner loads may have been required. An error of either copy is a FlowError in both,
   * and so this class has no subclasses.
   */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** The number that goes out as status_code. */
  get code(): number {
    return STATUS_CODES[this.status];
  }

  /** True when the same request may succeed later without anybody changing it. */
  get retryable(): boolean {
    return this.status === 'UNAVAILABLE' || this.status === 'RESOURCE_EXHAUSTED';
  }
}

/** A request that can never succeed as it stands. `field` is a JSON Pointer or a part of the URI. */
export function invalid(reason: string, field: string, value: unknown, expected: string): FlowError {
  const shown = shorten(value);
  return new FlowError('INVALID_ARGUMENT', reason, `${field}: expected ${expected}, got ${shown}`, [
    { field, value: shown, expected },
  ]);
}

export function notFound(what: string, id: string): FlowError {
  return new FlowError('NOT_FOUND', `${what.toUpperCase().replaceAll(' ', '_')}_NOT_FOUND`, `no ${what} with id ${id}`, [
    { field: 'id', value: id, expected: `the id of a ${what}` },
  ]);
}

export function conflict(reason: string, message: string, details: readonly ErrorDetail[] = []): FlowError {
  return new FlowError('FAILED_PRECONDITION', reason, message, details);
}

export function exhausted(reason: string, message: string, details: readonly ErrorDetail[] = []): FlowError {
  return new FlowError('RESOURCE_EXHAUSTED', reason, message, details);
}

export function unavailable(reason: string, message: string, options?: ErrorOptions): FlowError {
  return new FlowError('UNAVAILABLE', reason, message, [], options);
}

/** Any thrown thing as a FlowError; what is not one is INTERNAL, with its message kept. */
export function toFlowError(error: unknown): FlowError {
  if (error instanceof FlowError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new FlowError('INTERNAL', 'INTERNAL_ERROR', message, [], { cause: error });
}

/** A value as text for an error message, at most 120 characters. */
export function shorten(value: unknown): string {
  return cut(value === undefined ? 'nothing' : asText(value), 120);
}

/** JSON that was read can be nested deeper than it can be written. */
function asText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'a value that cannot be shown';
  }
}

/** Text of at most so many characters; never half of a pair that makes one character together. */
export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}
