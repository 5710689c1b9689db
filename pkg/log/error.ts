import { maskSecrets } from './mask.ts';

/** Own fields of errors worth a place in a line. Not all: a database driver's hold the statement with its values. */
const FIELDS = ['code', 'errno', 'sqlState', 'syscall', 'address', 'port', 'status', 'reason'] as const;
const DEPTH = 4;

/**
 * An error as plain data: type, message, the fields above, stack, and the errors that caused it or that it sums up.
 * Messages and stacks are masked, because drivers quote the address they were given.
 */
export function describeError(error: unknown, depth = DEPTH): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? maskSecrets(error) : error;
  const described: Record<string, unknown> = { type: error.name, message: maskSecrets(error.message) };
  for (const field of FIELDS) {
    const value: unknown = Reflect.get(error, field);
    if (typeof value === 'string' || typeof value === 'number') described[field] = value;
  }
  if (error.stack !== undefined) described.stack = maskSecrets(error.stack);
  if (depth === 0) return described;
  if (error.cause !== undefined) described.cause = describeError(error.cause, depth - 1);
  // A failed connection to a name with several addresses says nothing itself: the reasons are in here.
  if (error instanceof AggregateError) described.errors = error.errors.map((each) => describeError(each, depth - 1));
  return described;
}
