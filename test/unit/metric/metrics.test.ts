import { expect } from 'chai';
import { Metrics } from '../../../pkg/metric/index.ts';
import { COUNTERS, GAUGES, HISTOGRAMS } from '../../../pkg/model/metric.ts';

/** The original's, which dashboards are built on. */
const ORIGINAL = [
  'receive_request_process_time',
  'receive_subscribe_event_process_time',
  'request_process_time',
  'event_publish_total',
  'notify_process_time',
  'notify_total',
  'flow_crud_total',
  'activeflow_created_total',
  'activeflow_ended_total',
  'activeflow_running',
  'activeflow_duration_seconds',
  'activeflow_execute_iterations',
  'activeflow_variable_injection_total',
  'action_executed_total',
  'action_error_total',
  'action_dispatch_total',
  'action_execute_duration',
];

describe('metrics', () => {
  it('are all there from the start, with the original names and a help text', async () => {
    const text = await new Metrics().render();
    const names = [...ORIGINAL, ...Object.keys(COUNTERS), ...Object.keys(GAUGES), ...Object.keys(HISTOGRAMS)];
    for (const name of names) {
      expect(text).to.match(new RegExp(`^# HELP flow_manager_${name} \\S`, 'm'));
      expect(text).to.contain(`# TYPE flow_manager_${name} `);
    }
    expect(text).to.contain('process_cpu_seconds_total').and.to.contain('nodejs_eventloop_lag_seconds');
  });

  it('count, measure and show by label', async () => {
    const metrics = new Metrics({ process: false });
    metrics.add('activeflow_created_total', { reference_type: 'call' });
    metrics.add('activeflow_created_total', { reference_type: 'call' }, 2);
    metrics.set('activeflow_running', {}, 7);
    metrics.set('sibling_breaker_state', { sibling: 'call-manager' }, 2);
    metrics.observe('receive_request_process_time', { type: '/v1/flows', method: 'GET' }, 4);
    const text = await metrics.render();
    expect(text).to.contain('flow_manager_activeflow_created_total{reference_type="call"} 3');
    expect(text).to.contain('flow_manager_activeflow_running 7');
    expect(text).to.contain('flow_manager_sibling_breaker_state{sibling="call-manager"} 2');
    expect(text).to.contain('flow_manager_receive_request_process_time_bucket{le="3",type="/v1/flows",method="GET"} 0');
    expect(text).to.contain('flow_manager_receive_request_process_time_bucket{le="5",type="/v1/flows",method="GET"} 1');
    expect(text).to.contain('flow_manager_receive_request_process_time_sum{type="/v1/flows",method="GET"} 4');
  });

  it('refuse a name or a label they do not know', () => {
    const metrics = new Metrics({ process: false });
    // @ts-expect-error: no such counter
    expect(() => metrics.add('activeflows_total', {})).to.throw('no metric named activeflows_total');
    // @ts-expect-error: a gauge is set, not added to
    expect(() => metrics.add('activeflow_running', {})).to.throw('no metric named activeflow_running');
    // @ts-expect-error: no such label
    expect(() => metrics.add('commit_conflict_total', { activeflow_id: 'x' })).to.throw('activeflow_id');
  });

  it('ask their sources before every scrape', async () => {
    const metrics = new Metrics({ process: false });
    let backlog = 0;
    metrics.addSource('backlog', async () => metrics.set('event_backlog', { of: 'activeflow' }, ++backlog));
    await metrics.render();
    expect(await metrics.render()).to.contain('flow_manager_event_backlog{of="activeflow"} 2');
  });

  it('tell the rest when a source fails or is late, and count it', async () => {
    const metrics = new Metrics({ process: false, source_timeout_ms: 5 });
    metrics.addSource('failing', () => Promise.reject(new Error('database away')));
    metrics.addSource('late', () => new Promise<never>(() => {}));
    metrics.set('activeflow_running', {}, 7);
    const text = await metrics.render();
    expect(text).to.contain('flow_manager_activeflow_running 7');
    expect(text).to.contain('flow_manager_scrape_error_total{source="failing"} 1');
    expect(text).to.contain('flow_manager_scrape_error_total{source="late"} 1');
  });
});
