import { hash } from 'node:crypto';
import type { WorkflowCall } from '../../model/workflow.ts';

/** By which all processes are told that a channel has something new. May be lost: the store is looked at anyway. */
export const WAKE_CHANNEL = 'push';

/** The key of a user's channel: the customer, so that all of a customer's stand together, and the user, of any length. */
export function channelOf({ customer_id, user_id }: Pick<WorkflowCall, 'customer_id' | 'user_id'>): string {
  return `${customer_id}/${hash('sha256', user_id, 'base64url')}`;
}
