import { up as up0001 } from './0001_flows.ts';
import { up as up0002 } from './0002_flows_by_customer.ts';
import { up as up0003 } from './0003_flow_versions.ts';
import { up as up0004 } from './0004_flow_answers.ts';
import { up as up0005 } from './0005_flow_answers_by_expiry.ts';
import { up as up0006 } from './0006_action_lists.ts';
import { up as up0007 } from './0007_activeflows.ts';
import { up as up0008 } from './0008_activeflows_by_create_hash.ts';
import { up as up0009 } from './0009_activeflows_by_customer.ts';
import { up as up0010 } from './0010_activeflows_by_reference.ts';
import { up as up0011 } from './0011_activeflows_by_flow.ts';
import { up as up0012 } from './0012_activeflows_by_wake.ts';
import { up as up0013 } from './0013_activeflows_by_unsettled.ts';
import { up as up0014 } from './0014_activeflows_by_status.ts';
import { up as up0015 } from './0015_trace_steps.ts';
import { up as up0016 } from './0016_events.ts';
import { up as up0017 } from './0017_events_by_id.ts';
import { up as up0018 } from './0018_delayed_messages.ts';
import { up as up0019 } from './0019_delayed_messages_by_due.ts';
import { up as up0020 } from './0020_activeflows_by_time.ts';
import { up as up0021 } from './0021_redeliveries.ts';
import { up as up0024 } from './0024_delayed_messages_properties.ts';
import { up as up0025 } from './0025_leases.ts';
import { up as up0026 } from './0026_erasures.ts';
import { up as up0027 } from './0027_action_lists_tm_used.ts';
import { up as up0028 } from './0028_flow_versions_by_list.ts';
import { up as up0029 } from './0029_flows_by_expiry.ts';
import { up as up0030 } from './0030_history_records.ts';
import { up as up0033 } from './0033_callbacks.ts';
import { up as up0034 } from './0034_callbacks_by_activeflow.ts';
import { up as up0035 } from './0035_callback_arrivals.ts';
import { up as up0037 } from './0037_callables.ts';
import { up as up0038 } from './0038_workflow_calls.ts';
import { up as up0039 } from './0039_workflow_calls_by_customer.ts';
import { up as up0040 } from './0040_workflow_calls_by_time.ts';
import { up as up0041 } from './0041_push_heads.ts';
import { up as up0042 } from './0042_push_events.ts';
import { up as up0043 } from './0043_participants.ts';
import { up as up0044 } from './0044_participants_by_time.ts';
import { up as up0046 } from './0046_subscription_uses.ts';
import { up as up0047 } from './0047_subscriptions.ts';
import { up as up0048 } from './0048_subscriptions_by_customer.ts';
import { up as up0049 } from './0049_delivery_lanes.ts';
import { up as up0050 } from './0050_delivery_lanes_by_claim.ts';
import { up as up0051 } from './0051_delivery_lanes_by_subscription.ts';
import { up as up0052 } from './0052_deliveries.ts';
import { up as up0053 } from './0053_deliveries_by_id.ts';
import { up as up0054 } from './0054_deliveries_by_subscription.ts';
import { up as up0055 } from './0055_deliveries_by_time.ts';
import { up as up0056 } from './0056_participants_waiters.ts';
import { up as up0057 } from './0057_deliveries_fixed_status.ts';
import type { Migrate } from './types.ts';

/** Every migration by name, in order. Forward only: a released one is never changed, a new one goes to the end. */
export const migrations: Readonly<Record<string, Migrate>> = {
  '0001_flows': up0001,
  '0002_flows_by_customer': up0002,
  '0003_flow_versions': up0003,
  '0004_flow_answers': up0004,
  '0005_flow_answers_by_expiry': up0005,
  '0006_action_lists': up0006,
  '0007_activeflows': up0007,
  '0008_activeflows_by_create_hash': up0008,
  '0009_activeflows_by_customer': up0009,
  '0010_activeflows_by_reference': up0010,
  '0011_activeflows_by_flow': up0011,
  '0012_activeflows_by_wake': up0012,
  '0013_activeflows_by_unsettled': up0013,
  '0014_activeflows_by_status': up0014,
  '0015_trace_steps': up0015,
  '0016_events': up0016,
  '0017_events_by_id': up0017,
  '0018_delayed_messages': up0018,
  '0019_delayed_messages_by_due': up0019,
  '0020_activeflows_by_time': up0020,
  '0021_redeliveries': up0021,
  '0024_delayed_messages_properties': up0024,
  '0025_leases': up0025,
  '0026_erasures': up0026,
  '0027_action_lists_tm_used': up0027,
  '0028_flow_versions_by_list': up0028,
  '0029_flows_by_expiry': up0029,
  '0030_history_records': up0030,
  '0033_callbacks': up0033,
  '0034_callbacks_by_activeflow': up0034,
  '0035_callback_arrivals': up0035,
  '0037_callables': up0037,
  '0038_workflow_calls': up0038,
  '0039_workflow_calls_by_customer': up0039,
  '0040_workflow_calls_by_time': up0040,
  '0041_push_heads': up0041,
  '0042_push_events': up0042,
  '0043_participants': up0043,
  '0044_participants_by_time': up0044,
  '0046_subscription_uses': up0046,
  '0047_subscriptions': up0047,
  '0048_subscriptions_by_customer': up0048,
  '0049_delivery_lanes': up0049,
  '0050_delivery_lanes_by_claim': up0050,
  '0051_delivery_lanes_by_subscription': up0051,
  '0052_deliveries': up0052,
  '0053_deliveries_by_id': up0053,
  '0054_deliveries_by_subscription': up0054,
  '0055_deliveries_by_time': up0055,
  '0056_participants_waiters': up0056,
  '0057_deliveries_fixed_status': up0057,
};
