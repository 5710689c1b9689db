import { actionType } from '../../action/catalogue.ts';
import type { TraceStep } from '../../model/trace.ts';
import type { Meter } from '../ports.ts';

/** Counts what a committed transition's trace says was done. Types that nobody knows are one label: customers write them. */
export function countSteps(trace: readonly TraceStep[], meter: Meter): void {
  for (const line of trace) {
    if (line.outcome === 'retried') meter.add('action_retry_total', { type: actionType(line.action.type)?.type ?? 'unknown' });
    if (line.step === undefined) continue;
    const known = actionType(line.action.type);
    const type = known?.type ?? 'unknown';
    meter.add('action_executed_total', { type });
    meter.observe('action_execute_duration', { type }, line.duration_ms);
    if (line.outcome === 'failed') meter.add('action_error_total', { type });
    if (line.outcome === 'handed_over') meter.add('action_dispatch_total', { target: 'call-manager', type });
  }
}
