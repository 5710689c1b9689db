import { expect } from 'chai';
import { begin } from '../../../pkg/engine/begin.ts';
import { due, nextDue } from '../../../pkg/engine/change.ts';
import { Draft } from '../../../pkg/engine/draft.ts';
import { formatTime } from '../../../pkg/engine/world.ts';
import type { Activeflow } from '../../../pkg/model/activeflow.ts';
import { firstLook, lookAt, wakeAt } from '../../../pkg/service/activeflow/schedule.ts';
import type { ServiceOptions } from '../../../pkg/service/context.ts';
import { SimulatedClock } from '../../support/engine_world.ts';
import { sampleActiveflow, sampleState } from '../../support/samples.ts';

const OPTIONS: ServiceOptions = {
  lease_ms: 30_000,
  deadline_ms: 0,
  reap_after_ms: 80_000,
  temporary_flow_ms: 0,
  flows_per_customer: 0,
  cached_activeflows: 0,
  cached_list_bytes: 0,
  response_types: [],
  workflow_depth: 5,
  push_name_prefix: 'kustomer',
};

describe('when a silent caller is looked for', () => {
  const clock = new SimulatedClock();
  const timing = { clock, options: OPTIONS };
  const in_ms = (ms: number) => formatTime(clock.now() + ms);
  const at = (changes: Partial<Activeflow>) => new Draft(sampleActiveflow(changes));
  /** A draft whose cursor has moved since the row it is made from. */
  const walked = (changes: Partial<Activeflow> = {}) => {
    const draft = at(changes);
    draft.step += 1;
    return draft;
  };
  const look = in_ms(1_000);

  it('anew from each answered request on, at most an eighth later', () => {
    const time = lookAt(walked({ state: sampleState({ look_at: look }) }), timing) ?? '';
    expect(time >= in_ms(80_000) && time < in_ms(90_000)).to.equal(true);
    expect(wakeAt(Object.assign(walked(), { look_at: time }), timing)).to.equal(time);
  });

  it('at the same time as before when something else has changed', () => {
    expect(lookAt(at({ state: sampleState({ look_at: look }) }), timing)).to.equal(look);
  });

  it('at some time where a row does not say when', () => {
    expect(lookAt(at({}), timing)).to.equal(firstLook('call', timing));
  });

  it('never where nobody is to ask: it runs, waits, has ended, or is no call', () => {
    const running = walked();
    begin(running, 'next', '');
    const waiting = Object.assign(walked(), { wait: { kind: 'block', due: null } });
    const ended = walked();
    ended.end();
    const others = ['', 'api', 'conversation', 'message'] as const;
    const drafts = [running, waiting, ended, ...others.map((reference_type) => walked({ reference_type }))];
    expect(drafts.map((draft) => lookAt(draft, timing))).to.deep.equal(drafts.map(() => undefined));
  });

  it('never when that is off', () => {
    expect(lookAt(walked(), { clock, options: { ...OPTIONS, reap_after_ms: 0 } })).to.equal(undefined);
  });

  it('is due from its time on, unless somebody walks', () => {
    const row = sampleActiveflow({ state: sampleState({ look_at: look }) });
    expect([due(row, in_ms(999)), due(row, look), nextDue(row)]).to.deep.equal(['nothing', 'caller', look]);
    const run = { kind: 'next', asked: '', key: '', steps: 0, stage: 'walking' } as const;
    expect(due({ ...row, state: { ...row.state, run } }, look)).to.equal('run');
    expect(due({ ...row, deadline_at: look }, look)).to.equal('deadline');
  });
});
