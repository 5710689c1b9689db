/** The identifiers that have a meaning of their own on the wire. Every id is a UUID in lower case. */

/** The nil UUID means none. */
export const NIL = '00000000-0000-0000-0000-000000000000';
/** The action before the first one: what a caller names when it asks for the first action. */
export const ACTION_START = '00000000-0000-0000-0000-000000000001';
/** The action after the last one: the flow is over. */
export const ACTION_FINISH = '00000000-0000-0000-0000-000000000002';
export const ACTION_NEXT = '00000000-0000-0000-0000-000000000003';
/** The stack that a flow's own actions live in. */
export const MAIN_STACK = '00000000-0000-0000-0000-000000000001';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

export function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value);
}

/** True for an id that names something: neither absent, nor empty, nor nil. */
export function isSet(id: string | undefined | null): id is string {
  return id !== undefined && id !== null && id !== '' && id !== NIL;
}
