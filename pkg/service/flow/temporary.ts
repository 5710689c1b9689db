import type { NewAction } from '../../action/definition.ts';
import type { Json } from '../../model/json.ts';

/** Makes a temporary flow for an action and returns its id. `id` is the step's own: again the same, the same flow. */
export type MakeTemporaryFlow = (request: {
  readonly id: string;
  readonly customer_id: string;
  readonly name: string;
  readonly actions: readonly NewAction[] | Json;
}) => Promise<string>;
