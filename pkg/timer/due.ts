import type { Log } from '../service/ports.ts';
import type { Service } from '../service/service.ts';

const BATCH = 50;

/** Wakes activeflows whose time has come, whichever process they were last walked by. True: there may be more. */
export async function wakeDue(service: Service, log: Log): Promise<boolean> {
  const { store, options } = service.context;
  const claimed = await store.activeflows.claimDue(BATCH, options.lease_ms);
  for (const row of claimed) {
    // Side by side: one that waits for a sibling must not make the others late. Its lease brings it back if it fails.
    service.control
      .wake(row)
      .catch((error) => log.warn({ activeflow_id: row.id, error: String(error) }, 'a due activeflow is tried again later'));
  }
  return claimed.length === BATCH;
}
