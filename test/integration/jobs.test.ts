// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/** Branches side by side, jobs beside a call, and the data that both share, by the wire. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { ACTION_FINISH, NIL } from '../../pkg/model/id.ts';
import type { Json } from '../../pkg/model/json.ts';
import { type ActiveflowView, action, type Caller, CUSTOMER } from '../support/caller.ts';
import { eventually, gate } from '../support/inbox.ts';
import { eachStage } from '../support/stage.ts';

interface Entries {
  readonly entries: readonly { readonly key: string; readonly value: Json; readonly revision: number }[];
}

const set = (key: string, value: Json, more: object = {}) => action('variable_set', { key, value }, more);
const shared = (key: string, value: Json) => action('participant_set', { key, value });
const message = (text: string) =>
  action('message_send', { source: { type: 'tel', target: '+1' }, destinations: [{ type: 'tel', target: '+2' }], text });
const talk = (text: string) => action('talk', { text });

/** What the participant of an activeflow has, by key. */
async function data(caller: Caller, { reference_type, reference_id }: ActiveflowView): Promise<Record<string, Json>> {
  const uri = `/v1/participants/${String(reference_type)}/${String(reference_id)}`;
  const { entries } = await caller.ok<Entries>('GET', uri, { customer_id: CUSTOMER });
  return Object.fromEntries(entries.map(({ key, value }) => [key, value]));
}

eachStage('parallel', (get) => {
  const api = { reference_type: 'api' };

  async function run(actions: readonly object[], more: object = api): Promise<ActiveflowView> {
    const { caller } = get();
    const made = await caller.started(actions, more);
    await caller.ok('POST', `/v1/activeflows/${made.id}/execute`);
    return over(made.id);
  }

  async function over(id: string): Promise<ActiveflowView> {
    const { caller } = get();
    await eventually(`${id} has ended`, async () => (await caller.get(id)).status === 'ended');
    return caller.get(id);
  }

  it('asks in all branches before any is answered, and goes on in each by itself', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    const three = gate();
    siblings.script('message', async ({ data: asked }) => {
      const text = String(asked.text);
      if (!text.startsWith(mark)) return undefined;
      if (siblings.of('message', mark).length === 3) three.open();
      await three.opened;
      return undefined;
    });
    const branches = ['a', 'b', 'c'].map((name) => ({
      name,
      actions: [
        message(`${mark} ${name}`),
        set(`from_${name}`, `${name} of \${voipbin.activeflow.reference_type}`),
        set('last', name),
      ],
    }));
    const { id } = await run([action('parallel', { branches }), set('said', '${parallel.b.status} ${parallel.b.result.from_b}')]);
    const variables = await caller.variables(id);
    expect(variables).to.include({ from_a: 'a of api', from_c: 'c of api', last: 'c', said: 'SUCCESS b of api' });
    expect(new Set(siblings.of('message', mark).map((asked) => asked.request_id)).size).to.equal(3);
  });

  it('keeps what went well beside what failed, each by its name', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    siblings.script('message', ({ data: asked }) => (String(asked.text).includes(mark) ? { error: 500 } : undefined));
    const branches = [
      { name: 'good', actions: [set('x', 'good')] },
      { name: 'bad', actions: [set('x', 'bad'), message(mark)] },
    ];
    const { id } = await run([
      action('parallel', { branches }),
      set('why', '${parallel.bad.status} ${parallel.bad.error.reason}'),
    ]);
    expect(await caller.variables(id)).to.include({ x: 'good', why: 'FAILED SIBLING_FAILED' });
    expect((await caller.trace(id)).map(({ reason }) => reason).join('\n')).to.include(
      'good: SUCCESS; bad: FAILED SIBLING_FAILED',
    );
  });

  it('fails when none goes well, and its on_error_target_id takes that', async () => {
    const { caller, siblings } = get();
    siblings.script('message', () => ({ error: 500 }));
    const taken = set('taken', '${voipbin.error.reason}');
    const branches = [{ name: 'bad', actions: [message('x')] }];
    const { id } = await run([action('parallel', { branches }, { on_error_target_id: taken.id }), set('not', 'here'), taken]);
    expect(await caller.variables(id))
      .to.include({ taken: 'PARALLEL_FAILED' })
      .and.not.have.property('not');
  });

  it('waits for the first only, or until its time is over', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    siblings.script('message', ({ data: asked }) => (String(asked.text).includes(mark) ? 'silent' : undefined));
    const branches = [
      { name: 'slow', actions: [message(mark), set('slow', 'yes')] },
      { name: 'quick', actions: [set('quick', 'yes')] },
    ];
    const any = await run([action('parallel', { branches, wait: 'any' })]);
    expect(await caller.variables(any.id)).to.include({ quick: 'yes', 'parallel.slow': '{"status":"CANCELED"}' });
    const late = await run([action('parallel', { branches, timeout: 50 }), set('why', '${parallel.slow.status}')]);
    expect(await caller.variables(late.id))
      .to.include({ quick: 'yes', why: 'TIMEOUT' })
      .and.not.have.property('slow');
  });

  it('waits for none, and loses none: they are an activeflow of their own', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    const branches = [{ name: 'aside', actions: [message(`${mark} \${who}`), shared('aside', 'done')] }];
    const call = await caller.started([set('who', 'Lee'), action('parallel', { branches, wait: 'none' }), talk('on')]);
    expect(await caller.next(call.id)).to.have.property('type', 'talk');
    await siblings.until('message', `${mark} Lee`);
    await eventually('the branch is through', async () => (await data(caller, call)).aside === 'done');
    const [aside] = await caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', { reference_activeflow_id: call.id });
    expect(aside).to.include({ reference_type: 'api', flow_id: NIL, customer_id: CUSTOMER });
  });

  it('refuses in a branch what a caller runs and what moves the flow, and names every mistake', async () => {
    const { caller } = get();
    const refused = (option: object) => caller.refused(400, 'POST', '/v1/flows', { actions: [{ type: 'parallel', option }] });
    const cases: [object, string, string][] = [
      [
        { branches: [{ name: 'a', actions: [talk('x')] }] },
        '/actions/0/option/branches/0/actions/0/type',
        'talk is the caller’s',
      ],
      [{ branches: [{ name: 'a', actions: [action('block')] }] }, '/actions/0/option/branches/0/actions/0/type', 'block does'],
      [
        { branches: [{ name: 'a', actions: [action('sleep')] }] },
        '/actions/0/option/branches/0/actions/0/type',
        'sleep is the caller’s',
      ],
      [{ branches: [] }, '/actions/0/option/branches', '1 to 20'],
      [{}, '/actions/0/option/branches', 'a list'],
      [{ branches: 'x' }, '/actions/0/option/branches', 'a list'],
      [{ branches: [{ name: 'a b', actions: [set('x', 1)] }] }, '/actions/0/option/branches/0/name', 'letters, digits'],
      [{ branches: [{ name: 'a', actions: [] }] }, '/actions/0/option/branches/0/actions', '1 to'],
      [{ branches: [{ name: 'a', actions: [{ type: 'nope' }] }] }, '/actions/0/option/branches/0/actions/0/type', 'known type'],
      [
        { branches: [{ name: 'a', actions: [set('x', 1, { retry: { attempts: 1 } })] }] },
        '/actions/0/option/branches/0/actions/0/retry',
        'none',
      ],
      [{ branches: [{ name: 'a', actions: [set('x', 1)] }], wait: 'some' }, '/actions/0/option/wait', 'all, any, none'],
      [{ branches: [{ name: 'a', actions: [set('x', 1)] }], timeout: 0 }, '/actions/0/option/timeout', 'from 1'],
    ];
    for (const [option, field, expected] of cases) {
      const { details = [] } = await refused(option);
      expect(
        details.map((one) => one.field),
        JSON.stringify(option),
      ).to.include(field);
      expect(details.find((one) => one.field === field)?.expected).to.include(expected);
    }
    const twice = { name: 'a', actions: [set('x', 1)] };
    expect((await refused({ branches: [twice, twice] })).message).to.include('no other branch');
  });
});

eachStage('participants', (get) => {
  it('share what one activeflow sets with all others of its reference, and with no other', async () => {
    const { caller } = get();
    const reference_id = randomUUID();
    const one = await caller.started([shared('name', { first: 'Lee' }), talk('x')], { reference_id });
    await caller.next(one.id);
    const other = await caller.started([talk('Hello ${participant.name.first}${participant.nobody}')], { reference_id });
    expect((await caller.next(other.id)).option).to.deep.equal({ text: 'Hello Lee' });
    const stranger = await caller.started([talk('Hello ${participant.name.first}')]);
    expect((await caller.next(stranger.id)).option).to.deep.equal({ text: 'Hello ' });
    const nobody = { reference_id: NIL, reference_type: 'api' };
    const alone = await caller.started([shared('name', 'mine'), action('block')], nobody);
    await caller.ok('POST', `/v1/activeflows/${alone.id}/execute`);
    await eventually('it waits', async () => (await caller.get(alone.id)).current_action.type === 'block');
    const twin = await caller.started([set('seen', '[${participant.name}]'), action('block')], nobody);
    await caller.ok('POST', `/v1/activeflows/${twin.id}/execute`);
    await eventually('it has looked', async () => (await caller.variables(twin.id)).seen === '[]');
  });

  it('are read and set by requests, with or without a revision', async () => {
    const { caller } = get();
    const uri = `/v1/participants/conversation/${randomUUID()}`;
    const post = (more: object) => caller.rpc('POST', uri, { customer_id: CUSTOMER, key: 'a', value: 1, ...more });
    expect((await post({ revision: 0 })).data).to.include({ key: 'a', value: 1, revision: 1 });
    expect((await post({ revision: 0 })).data, 'a repeat').to.include({ revision: 1 });
    const late = await caller.refused(409, 'POST', uri, { customer_id: CUSTOMER, key: 'a', value: 2, revision: 0 });
    expect(late).to.include({ reason: 'PARTICIPANT_CHANGED' });
    expect((await post({ value: [2], revision: 1 })).data).to.deep.include({ value: [2], revision: 2 });
    expect((await post({ value: null })).data).to.include({ value: null, revision: 3 });
    const { entries } = await caller.ok<Entries>('GET', uri, { customer_id: CUSTOMER });
    expect(entries).to.have.length(1);
    expect((await caller.ok<Entries>('GET', uri, { customer_id: randomUUID() })).entries).to.deep.equal([]);
  });

  it('refuse bad requests with the field, and what is too much', async () => {
    const { caller } = get();
    const id = randomUUID();
    const good = { customer_id: CUSTOMER, key: 'a', value: 1 };
    const cases: [string, object, string][] = [
      [`/v1/participants/call/${id}`, { ...good, key: 'job.x' }, '/key'],
      [`/v1/participants/call/${id}`, { ...good, key: 'a b' }, '/key'],
      [`/v1/participants/call/${id}`, { ...good, key: 5 }, '/key'],
      [`/v1/participants/call/${id}`, { ...good, revision: -1 }, '/revision'],
      [`/v1/participants/call/${id}`, { key: 'a', value: 1 }, '/customer_id'],
      ['/v1/participants/call/nobody', good, 'reference_id'],
      [`/v1/participants/planet/${id}`, good, 'reference_type'],
    ];
    for (const [uri, body, field] of cases) {
      const { details } = await caller.refused(400, 'POST', uri, body);
      expect(details?.[0]?.field, JSON.stringify(body)).to.equal(field);
    }
    const uri = `/v1/participants/call/${id}`;
    await caller.refused(429, 'POST', uri, { ...good, value: 'x'.repeat(33 * 1024) });
    await caller.ok('POST', uri, { ...good, value: 'x'.repeat(32_000) });
    await caller.ok('POST', uri, { ...good, key: 'b', value: 'x'.repeat(32_000) });
    await caller.refused(429, 'POST', uri, { ...good, key: 'c', value: 'x'.repeat(2_000) });
  });
});

eachStage('jobs', (get) => {
  const job = (name: string, flow_id: string, more: object = {}) => action('job_start', { name, flow_id, ...more });

  it('run beside a call, say how far they are, and outlive it', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    const open = gate();
    siblings.script('message', async ({ data: asked }) => {
      if (String(asked.text).includes(mark)) await open.opened;
      return undefined;
    });
    const flow = await caller.flow([
      message(`${mark} \${input.caller.number}`),
      set('result', { name: '${input.caller.number}!' }),
    ]);
    const ask = '${participant.job.identify.status} ${participant.job.identify.result.name}';
    const start = job('identify', flow.id, { inputs: { caller: { number: '+49' } } });
    const call = await caller.started([start, talk(ask), talk(ask)]);
    const first = await caller.next(call.id);
    expect(first.option).to.deep.equal({ text: 'ONGOING ' });
    await siblings.until('message', `${mark} +49`);
    await caller.ok('POST', `/v1/activeflows/${call.id}/stop`);
    open.open();
    await eventually('the job has ended', async () => (await state(call, 'identify')).status === 'SUCCESS');
    expect(await state(call, 'identify')).to.deep.include({ status: 'SUCCESS', result: { name: '+49!' } });
    const made = await caller.get(String((await state(call, 'identify')).id));
    expect(made).to.include({ reference_type: 'api', reference_activeflow_id: call.id, flow_id: flow.id, status: 'ended' });
    expect(made.current_action.id).to.equal(ACTION_FINISH);
  });

  async function state(call: ActiveflowView, name: string): Promise<Record<string, Json>> {
    return ((await data(get().caller, call))[`job.${name}`] ?? {}) as Record<string, Json>;
  }

  it('that fail, are stopped, run out of time or have a result too large are FAILED and say why', async () => {
    const { caller, siblings } = get();
    siblings.script('message', () => ({ error: 500 }));
    const failing = await caller.flow([message('x')]);
    const standing = await caller.flow([action('block')]);
    const large = await caller.flow([set('result', 'x'.repeat(32 * 1024 - 200))]);
    const call = await caller.started([
      job('failing', failing.id),
      job('stopped', standing.id),
      job('late', standing.id, { deadline: 300 }),
      job('large', large.id),
      talk('x'),
    ]);
    await caller.next(call.id);
    await eventually('it stands', async () => (await state(call, 'stopped')).status === 'ONGOING');
    await caller.ok('POST', `/v1/activeflows/${String((await state(call, 'stopped')).id)}/stop`);
    const reasons = { failing: 'SIBLING_FAILED', stopped: 'STOPPED', late: 'DEADLINE_EXCEEDED', large: 'RESULT_TOO_LARGE' };
    for (const [name, reason] of Object.entries(reasons)) {
      await eventually(`${name} is over`, async () => (await state(call, name)).status === 'FAILED');
      expect((await state(call, name)).error, name).to.include({ reason });
    }
  });

  it('of a name that runs already are left as they are; of one that is over they start anew', async () => {
    const { caller } = get();
    const standing = await caller.flow([action('block'), set('result.a', 1), set('result.b', 2)]);
    const call = await caller.started([
      job('one', standing.id),
      job('one', standing.id),
      talk('x'),
      job('one', standing.id),
      talk('y'),
    ]);
    const first = await caller.next(call.id);
    const { id } = await state(call, 'one');
    const children = () => caller.ok<ActiveflowView[]>('GET', '/v1/activeflows', { reference_activeflow_id: call.id });
    expect(await children()).to.have.length(1);
    let block = '';
    await eventually('it stands', async () => {
      const { current_action } = await caller.get(String(id));
      block = current_action.id;
      return current_action.type === 'block';
    });
    await caller.ok('POST', `/v1/activeflows/${String(id)}/continue`, { current_action_id: block });
    await eventually('it is over', async () => (await state(call, 'one')).status === 'SUCCESS');
    expect((await state(call, 'one')).result).to.deep.equal({ a: 1, b: 2 });
    await caller.next(call.id, first.id);
    expect(await state(call, 'one')).to.include({ status: 'ONGOING' });
    expect((await state(call, 'one')).id).not.to.equal(id);
    expect(await children()).to.have.length(2);
  });

  it('share their caller’s data, also from within jobs, and do not start each other without end', async () => {
    const { caller } = get();
    const holder = await caller.flow([set('x', 'y')], { persist: true });
    const deeper = job('d${input.depth}', holder.id, { inputs: { depth: '${input.depth}1' } });
    await caller.ok('PUT', `/v1/flows/${holder.id}/actions`, { actions: [shared('seen', '${input.depth}'), deeper] });
    const call = await caller.started([job('d', holder.id, { inputs: { depth: '1' } }), talk('x')]);
    await caller.next(call.id);
    await eventually('the fifth refuses', async () => (await state(call, 'd1111')).status === 'FAILED');
    expect((await state(call, 'd1111')).error).to.include({ reason: 'JOB_DEPTH' });
    expect(await data(caller, call)).to.include({ seen: '11111' });
  });

  it('of a flow that is not there, or with inputs that are too much, fail where they are started', async () => {
    const { caller } = get();
    const taken = talk('${voipbin.error.reason}');
    const flow = await caller.flow([set('x', 'y')]);
    for (const [start, reason] of [
      [job('a', randomUUID()), 'FLOW_NOT_FOUND'],
      [job('a', flow.id, { inputs: { big: 'x'.repeat(33 * 1024) } }), 'VARIABLE_TOO_LARGE'],
    ] as const) {
      const call = await caller.started([{ ...start, on_error_target_id: taken.id }, talk('not here'), taken]);
      expect((await caller.next(call.id)).option).to.deep.equal({ text: reason });
      expect(await data(caller, call)).to.deep.equal({});
    }
  });

  it('are refused when the flow is made, where that can be known', async () => {
    const { caller } = get();
    const flow_id = randomUUID();
    const cases: [object, string][] = [
      [{ type: 'job_start', option: { name: 'a b', flow_id } }, '/actions/0/option/name'],
      [{ type: 'job_start', option: { flow_id } }, '/actions/0/option/name'],
      [{ type: 'job_start', option: { name: 'a' } }, '/actions/0/option/flow_id'],
      [{ type: 'job_start', option: { name: 'a', flow_id: NIL } }, '/actions/0/option/flow_id'],
      [{ type: 'job_start', option: { name: 'a', flow_id, inputs: [] } }, '/actions/0/option/inputs'],
      [{ type: 'job_start', option: { name: 'a', flow_id, deadline: -1 } }, '/actions/0/option/deadline'],
      [{ type: 'job_wait', option: {} }, '/actions/0/option/name'],
      [{ type: 'job_wait', option: { name: 'a b' } }, '/actions/0/option/name'],
      [{ type: 'job_wait', option: { name: 'a', timeout: -1 } }, '/actions/0/option/timeout'],
      [{ type: 'job_wait', option: { name: 'a', while_waiting: talk('x') } }, '/actions/0/option/while_waiting'],
      [{ type: 'participant_set', option: { value: 1 } }, '/actions/0/option/key'],
      [{ type: 'participant_set', option: { key: 'job.a' } }, '/actions/0/option/key'],
      [{ type: 'participant_set', option: { key: 'a b' } }, '/actions/0/option/key'],
    ];
    for (const [bad, field] of cases) {
      const { details } = await caller.refused(400, 'POST', '/v1/flows', { actions: [bad] });
      expect(details?.[0]?.field, JSON.stringify(bad)).to.equal(field);
    }
    await caller.flow([{ type: 'job_start', option: { name: '${x}', flow_id: '${y}' } }]);
  });

  it('are waited for: a call is played to meanwhile, and cut off when its job has ended', async () => {
    const { caller, siblings } = get();
    const mark = randomUUID();
    const open = gate();
    siblings.script('message', async ({ data: asked }) => {
      if (String(asked.text) === mark) await open.opened;
      return undefined;
    });
    const flow = await caller.flow([
      message(mark),
      action('workflow_response', { data: { name: 'Lee' } }),
      set('result', 'not this'),
    ]);
    const hold = talk('please hold');
    const wait = action('job_wait', { name: 'identify', while_waiting: [hold] });
    const call = await caller.started([job('identify', flow.id), wait, talk('Hello ${participant.job.identify.result.name}')]);
    expect(await caller.next(call.id)).to.include({ id: hold.id });
    expect(await caller.next(call.id, hold.id), 'again').to.include({ id: hold.id });
    open.open();
    await siblings.until('call', `${String(call.reference_id)}/action-next`);
    expect((await caller.next(call.id, hold.id, 'cut off')).option).to.deep.equal({ text: 'Hello Lee' });
    expect(await state(call, 'identify')).to.deep.include({ status: 'SUCCESS', result: { name: 'Lee' } });
  });

  it('are waited for as long as it says; what is not there is a failure that names it', async () => {
    const { caller } = get();
    const standing = await caller.flow([action('block')]);
    const late = set('late', 'yes');
    const nobody = set('why', '${voipbin.error.reason} ${voipbin.error.message}');
    const call = await caller.started(
      [
        job('slow', standing.id),
        action('job_wait', { name: 'slow', timeout: 100, timeout_target_id: late.id }),
        action('stop'),
        late,
        action('job_wait', { name: 'nobody' }, { on_error_target_id: nobody.id }),
        action('stop'),
        nobody,
      ],
      { reference_type: 'api' },
    );
    await caller.ok('POST', `/v1/activeflows/${call.id}/execute`);
    await eventually('it ends', async () => (await caller.get(call.id)).status === 'ended');
    const { late: passed, why } = await caller.variables(call.id);
    expect(passed).to.equal('yes');
    expect(why).to.match(/^JOB_NOT_FOUND job_wait: no job nobody /);
  });

  it('answer by workflow_response: with their result, or that they have failed', async () => {
    const { caller } = get();
    const answer = (option: object) => action('workflow_response', option);
    const flows: Record<string, object[]> = {
      first: [answer({ data: [1] }), answer({ data: [2] })],
      refused: [answer({ status: 404, code: 'NOBODY', data: { asked: 3 } })],
      broken: [answer({ data: 'early' }), action('message_send', { text: 'x' }), set('result', 'x')],
      large: [answer({ data: 'x'.repeat(31 * 1024) })],
    };
    get().siblings.script('message', () => ({ error: 500 }));
    const starts: object[] = [];
    for (const [name, actions] of Object.entries(flows)) starts.push(job(name, (await caller.flow(actions)).id));
    const waits = Object.keys(flows).map((name) => action('job_wait', { name }));
    const made = await caller.started([...starts, ...waits], { reference_type: 'api' });
    await caller.ok('POST', `/v1/activeflows/${made.id}/execute`);
    await eventually('all have ended', async () => (await caller.get(made.id)).status === 'ended');
    expect(await state(made, 'first')).to.deep.include({ status: 'SUCCESS', result: [1] });
    const refused = await state(made, 'refused');
    expect(refused).to.deep.include({ status: 'FAILED', result: { asked: 3 } });
    expect(refused.error).to.deep.equal({ reason: 'NOBODY', message: 'it has answered 404' });
    const broken = await state(made, 'broken');
    expect(broken).to.deep.include({ status: 'FAILED', result: 'early' });
    expect(broken.error).to.include({ reason: 'SIBLING_FAILED' });
    expect((await state(made, 'large')).error).to.include({ reason: 'RESPONSE_TOO_LARGE' });
  });
});
