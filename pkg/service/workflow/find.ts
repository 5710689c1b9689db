import { notFound } from '../../error/index.ts';
import type { Flow } from '../../model/flow.ts';
import { isUuid } from '../../model/id.ts';
import type { Callable } from '../../model/workflow.ts';
import type { WorkflowStore } from '../ports.ts';

/** A flow's settings as a workflow, by its id or its alias. Another customer's is as good as none. */
export async function findCallable(store: WorkflowStore, customer_id: string, name: string): Promise<Callable | undefined> {
  const id = name.toLowerCase();
  const found = isUuid(id) ? await store.callable(id) : await store.callableByAlias(customer_id, name);
  return found?.customer_id === customer_id ? found : undefined;
}

/** Throws NOT_FOUND: it cannot be called, or its flow is gone. */
export function requireCallable(
  name: string,
  callable: Callable | undefined,
  flow: Flow | undefined,
): { callable: Callable; flow: Flow } {
  if (!callable?.enabled || !flow || flow.tm_delete !== null) throw notFound('workflow', name);
  return { callable, flow };
}
