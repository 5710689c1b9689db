// biome-ignore-all lint/suspicious/noTemplateCurlyInString: ${name} is the flow’s own notation
/** Callbacks of a whole daemon: what comes to an address that a flow has made, with every code that it is answered. */
import { createHmac, randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { type ActiveflowView, action, CUSTOMER } from '../support/caller.ts';
import { JWT_SECRET, token } from '../support/gateway.ts';
import { eventually, gate } from '../support/inbox.ts';
import { eachStage, type Stage } from '../support/stage.ts';

const FLAGS = {
  callback_secret: 'what callbacks are made with',
  http_public_url: 'https://flows.example.com/',
  http_jwt_secret: JWT_SECRET,
  limit_callback_inbox: 2,
};
const ADDRESS = /^https:\/\/flows\.example\.com\/v1\/callbacks\/[0-9a-f-]{36}\/[\w-]{43}$/;

const create = (option: object = {}) => action('callback_create', { name: 'pay', ...option });
const wait = (option: object = {}) => action('callback_wait', { name: 'pay', into: 'paid', ...option });
const talk = (text: string) => action('talk', { text });

interface Listed {
  readonly id: string;
  readonly name: string;
  readonly requests: readonly {
    readonly status: string;
    readonly code: number;
    readonly reason: string;
    readonly tm_consume: string | null;
  }[];
}

interface Answer {
  readonly code: number;
  readonly body: { readonly id?: string; readonly state?: string; readonly duplicate?: boolean; readonly reason?: string };
  readonly headers: Headers;
}

eachStage(
  'callbacks',
  (get) => {
    /** Sends to an address as somebody outside does, by way of where the gateway really is. */
    async function send(url: string, body: string | undefined, more: RequestInit = {}): Promise<Answer> {
      const { pathname, search } = new URL(url);
      const answer = await fetch(get().gateway + pathname + search, {
        method: 'POST',
        ...(body === undefined ? {} : { body }),
        ...more,
      });
      return { code: answer.status, body: (await answer.json()) as Answer['body'], headers: answer.headers };
    }

    /** A conversation that runs by itself: made, executed, and standing where it waits or ended. */
    async function executed(actions: readonly object[], more: object = {}): Promise<ActiveflowView> {
      const { caller } = get();
      const made = await caller.started(actions, { reference_type: 'api', ...more });
      await caller.ok('POST', `/v1/activeflows/${made.id}/execute`);
      return made;
    }

    /** One that waits, and its address. */
    async function waiting(
      options: { create?: object; wait?: object } = {},
      after: readonly object[] = [],
    ): Promise<{ id: string; url: string }> {
      const { id } = await executed([create(options.create), wait(options.wait), ...after]);
      await at(id, 'callback_wait');
      return { id, url: await variable(id, 'callback.pay.url') };
    }

    /** One that has made its address and stands at a block. */
    async function blocked(
      option: object = {},
      after: readonly object[] = [],
    ): Promise<{ id: string; url: string; on: () => Promise<unknown> }> {
      const block = action('block');
      const { id } = await executed([create(option), block, ...after]);
      await at(id, 'block');
      const on = () => get().caller.ok('POST', `/v1/activeflows/${id}/continue`, { current_action_id: block.id });
      return { id, url: await variable(id, 'callback.pay.url'), on };
    }

    async function at(id: string, type: string): Promise<void> {
      await eventually(`${id} stands at ${type}`, async () =>
        (await get().caller.trace(id)).some((line) => line.action.type === type && line.outcome === 'waiting'),
      );
    }

    async function ended(id: string): Promise<void> {
      await eventually(`${id} ends`, async () => (await get().caller.get(id)).status === 'ended');
    }

    async function variable(id: string, name: string): Promise<string> {
      return (await get().caller.variables(id))[name] ?? '';
    }

    const list = (id: string) => get().caller.ok<Listed[]>('GET', `/v1/activeflows/${id}/callbacks`);

    it('brings what came to the flow that waits: 200, and nothing of it is kept', async () => {
      const { id, url } = await waiting({}, [
        action('variable_set', {
          key: 'got',
          value: '${paid.method} ${paid.body.amount.0} ${paid.query.by} ${paid.headers.x-shop}',
        }),
      ]);
      expect(url).match(ADDRESS);
      const answer = await send(`${url}?by=card`, '{"amount": [7]}', {
        headers: { 'x-shop': 'books', authorization: 'Bearer not for flows' },
      });
      expect([answer.code, answer.body.state]).deep.equal([200, 'consumed']);
      await ended(id);
      expect(await variable(id, 'got')).equal('POST 7 card books');
      const paid = JSON.parse(await variable(id, 'paid')) as { received_at: string; headers: object };
      expect(paid.received_at).match(/^\d{4}-.*Z$/);
      expect(paid.headers).not.have.property('authorization');
      const [callback] = await list(id);
      expect(callback?.requests.map(({ status, code }) => [status, code])).deep.equal([['consumed', 200]]);
    });

    it('keeps what comes early, in order, and brings it at once: 202', async () => {
      const { id, url, on } = await blocked({ multi: true }, [wait({ into: 'one' }), wait({ into: 'two' })]);
      expect((await send(url, 'first')).code).equal(202);
      expect((await send(url, '{"n":2}')).body.state).equal('kept');
      await on();
      await ended(id);
      expect(
        [await variable(id, 'one'), await variable(id, 'two')].map((text) => (JSON.parse(text) as { body: unknown }).body),
      ).deep.equal(['first', { n: 2 }]);
      const [callback] = await list(id);
      expect(callback?.requests.every(({ status, tm_consume }) => status === 'consumed' && tm_consume !== null)).equal(true);
    });

    it('knows a duplicate by its key, and by its body where one is taken only: 200', async () => {
      const { id, url } = await blocked();
      const { body } = await send(url, 'same', { headers: { 'idempotency-key': 'k' } });
      for (const again of [send(url, 'same'), send(url, 'other', { headers: { 'idempotency-key': 'k' } })]) {
        expect([(await again).code, (await again).body]).deep.equal([200, { id: body.id, duplicate: true }]);
      }
      await get().caller.ok('POST', `/v1/activeflows/${id}/stop`);
      expect((await send(url, 'same')).body.duplicate, 'also when the flow is over').equal(true);
    });

    it('of one that may come more often, only the key tells a duplicate', async () => {
      const { url } = await blocked({ multi: true });
      expect((await send(url, 'same', { headers: { 'idempotency-key': 'k' } })).code).equal(202);
      expect((await send(url, 'same')).code).equal(202);
      expect((await send(url, 'same', { headers: { 'idempotency-key': 'k' } })).body.duplicate).equal(true);
    });

    it('of many at the same time one is taken: 409 for another body', async () => {
      const { id, url } = await waiting();
      const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => send(url, `body ${n}`)));
      expect(answers.map(({ code }) => code).sort()).deep.equal([200, ...Array.from({ length: 7 }, () => 409)]);
      expect((await list(id))[0]?.requests.filter(({ status }) => status !== 'rejected')).length(1);
    });

    it('refuses another method: 405, and says which it takes', async () => {
      const { url } = await waiting({ create: { methods: ['put', 'GET'] } });
      const answer = await send(url, 'x');
      expect([answer.code, answer.headers.get('allow')]).deep.equal([405, 'PUT, GET']);
      expect((await send(url, undefined, { method: 'GET' })).code).equal(200);
    });

    it('refuses a bad signature: 401', async () => {
      const { id, url } = await waiting({ create: { auth: 'hmac' } });
      const secret = await variable(id, 'callback.pay.secret');
      const signed = (body: string, key = secret) => ({
        headers: { 'x-callback-signature': `sha256=${createHmac('sha256', key).update(body).digest('hex')}` },
      });
      expect((await send(url, 'x')).code).equal(401);
      expect((await send(url, 'x', signed('y'))).code).equal(401);
      expect((await send(url, 'x', signed('x', 'guessed'))).code).equal(401);
      expect((await send(`${url}?amount=1`, 'x', signed('x'))).body.reason).equal('QUERY_NOT_SIGNED');
      expect((await send(url, 'x', signed('x'))).code).equal(200);
    });

    it('refuses a wrong token where one is to be shown: 401', async () => {
      const { id, url } = await waiting({ create: { auth: 'token' } });
      const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });
      expect([(await send(url, 'x')).code, (await send(url, 'x', bearer('y'))).code]).deep.equal([401, 401]);
      expect((await send(url, 'x', bearer(await variable(id, 'callback.pay.secret')))).code).equal(200);
    });

    it('does not know what nobody has made: 404', async () => {
      const { url } = await waiting();
      for (const forged of [
        `${url}x`,
        url.slice(0, -2),
        url.replace(/callbacks\/[^/]+/, `callbacks/${randomUUID()}`),
        'http://x/v1/callbacks/%00/%F0',
      ]) {
        expect((await send(forged, 'x')).code, forged).oneOf([404, 400]);
      }
      expect((await send(`${url}x`, 'x')).body.reason).equal('CALLBACK_NOT_FOUND');
    });

    it('is over with its flow, at its own time, and with a new one of its name: 410', async () => {
      const stopped = await waiting();
      await get().caller.ok('POST', `/v1/activeflows/${stopped.id}/stop`);
      const expired = await executed([create({ ttl: 1 }), wait()]);
      await ended(expired.id);
      const block = action('block');
      const again = await executed([create({ variable: 'old' }), create(), block]);
      await at(again.id, 'block');
      const urls = [stopped.url, await variable(expired.id, 'callback.pay.url'), await variable(again.id, 'old')];
      const answers = await Promise.all(urls.map((url) => send(url, 'x')));
      expect(answers.map(({ code, body }) => [code, body.reason])).deep.equal([
        [410, 'CALLBACK_OVER'],
        [410, 'CALLBACK_OVER'],
        [410, 'CALLBACK_REPLACED'],
      ]);
      const late = await blocked({ ttl: 1 });
      await eventually('it has expired', async () => (await send(late.url, 'x')).body.reason === 'CALLBACK_EXPIRED');
    });

    it('refuses what is too large, and lists why: 413', async () => {
      const { id, url } = await waiting();
      expect((await send(url, 'x'.repeat(48 * 1024 + 1))).code).equal(413);
      const [callback] = await list(id);
      expect(callback?.requests[0]).include({ status: 'rejected', code: 413, reason: 'CALLBACK_TOO_LARGE' });
      expect((await send(url, 'x'.repeat(48 * 1024))).code).equal(200);
    });

    it('refuses what the variables of the flow have no room for: 413, and the flow waits on', async () => {
      const full = action('variable_set', { key: 'full', value: 'x'.repeat(30 * 1024) });
      const { id } = await executed([create(), full, wait()]);
      await at(id, 'callback_wait');
      const url = await variable(id, 'callback.pay.url');
      expect((await send(url, 'x'.repeat(40 * 1024))).code).equal(413);
      expect((await send(url, 'small')).code).equal(200);
    });

    it('keeps so many and no more: 429', async () => {
      const { url } = await blocked({ multi: true });
      const codes = [];
      for (const body of ['1', '2', '3']) codes.push((await send(url, body)).code);
      expect(codes).deep.equal([202, 202, 429]);
    });

    it('keeps the newest refused requests only', async () => {
      const { id, url } = await waiting();
      for (let n = 0; n < 25; n++) await send(`${url}x`, 'x');
      expect((await list(id))[0]?.requests.map(({ code }) => code)).deep.equal(Array.from({ length: 20 }, () => 404));
    });

    it('bad input is never a 500', async () => {
      const { url } = await blocked({ multi: true, methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] });
      const odd = [
        '\0',
        '[[[['.repeat(9_000),
        '{"__proto__": 1, "a": "\\u0000\\ud800"}',
        '"\ud83d"',
        '['.repeat(20_000) + ']'.repeat(20_000),
      ];
      for (const body of odd)
        expect((await send(`${url}?__proto__=1&a=1&a=%F0%00`, body)).code, body.slice(0, 20)).oneOf([202, 429]);
      for (const method of ['OPTIONS', 'TRACE_', 'HEAD']) {
        const answer = await fetch(get().gateway + new URL(url).pathname, { method }).catch(() => undefined);
        expect(answer?.status ?? 405, method).oneOf([405, 400, 501]);
      }
    });

    it('a wait that is over goes to its target, and nothing it brought before is left', async () => {
      const target = action('variable_set', { key: 'way', value: 'late' });
      const { id } = await executed([
        action('variable_set', { key: 'paid', value: 'old' }),
        create(),
        wait({ timeout: 50, timeout_target_id: target.id }),
        action('variable_set', { key: 'way', value: 'on time' }),
        action('stop'),
        target,
      ]);
      await ended(id);
      expect([await variable(id, 'way'), await variable(id, 'paid')]).deep.equal(['late', '']);
    });

    it('plays to a call in a loop, and cuts it off when it comes', async () => {
      const [a, b] = [talk('please hold'), talk('still holding')];
      const { caller, siblings } = get();
      const call = await caller.started([create(), wait({ while_waiting: [a, b] }), talk('thank you for ${paid.body.amount}')]);
      const heard = [await caller.next(call.id)];
      for (let n = 0; n < 3; n++) heard.push(await caller.next(call.id, heard.at(-1)?.id));
      expect(heard.map(({ id }) => id)).deep.equal([a.id, b.id, a.id, b.id]);
      const url = await variable(call.id, 'callback.pay.url');
      expect((await send(url, '{"amount": 9}')).code).equal(200);
      const about = `/v1/calls/${call.reference_id}/action-next`;
      const cut = await siblings.until('call', about);
      expect([cut.method, cut.data]).deep.equal(['POST', { force: true }]);
      const next = await caller.next(call.id, b.id);
      expect(next.option).deep.equal({ text: 'thank you for 9' });
      expect(await caller.next(call.id, b.id), 'a repeat gets the same').deep.equal(next);
      expect(siblings.of('call', about), 'cut off once').length(1);
    });

    it('a call that has nothing to play sleeps, and is cut off from that', async () => {
      const { caller, siblings } = get();
      const call = await caller.started([create(), wait(), talk('bye')]);
      const sleep = await caller.next(call.id);
      expect(sleep.type).equal('sleep');
      await send(await variable(call.id, 'callback.pay.url'), 'x');
      await siblings.until('call', `/v1/calls/${call.reference_id}/action-next`);
      expect((await caller.next(call.id, sleep.id)).option).deep.equal({ text: 'bye' });
    });

    it('the end of its time cuts a call off, too', async () => {
      const target = talk('too late');
      const { caller, siblings } = get();
      const call = await caller.started([create(), wait({ timeout: 300, timeout_target_id: target.id }), talk('bye'), target]);
      const sleep = await caller.next(call.id);
      await siblings.until('call', `/v1/calls/${call.reference_id}/action-next`);
      expect((await caller.next(call.id, sleep.id)).id).equal(target.id);
    });

    it('a caller who asks while it is being cut off gets what follows, once', async () => {
      const { caller, siblings } = get();
      const call = await caller.started([create(), wait(), talk('one'), talk('two')]);
      const sleep = await caller.next(call.id);
      const held = gate();
      const during: Promise<unknown>[] = [];
      siblings.script('call', (asked) => {
        if (!asked.uri.endsWith('/action-next')) return undefined;
        // As the call service does it: it asks within the request, while the caller had asked by itself.
        during.push(caller.next(call.id, sleep.id, 'by force'));
        held.open();
        return undefined;
      });
      const [own] = await Promise.all([
        send(await variable(call.id, 'callback.pay.url'), 'x').then(() => caller.next(call.id, sleep.id, 'by itself')),
        held.opened,
      ]);
      expect(own.option).deep.equal({ text: 'one' });
      expect(await Promise.all(during)).deep.equal([own]);
      expect((await caller.next(call.id, own.id)).option).deep.equal({ text: 'two' });
    });

    it('hides tokens and secrets from all who look on', async () => {
      const { caller, events } = get();
      const shown = talk('${callback.pay.url} ${callback.pay.secret}');
      const choice = action('branch', { variable: 'callback.pay.url', target_ids: { x: shown.id } });
      const call = await caller.started([create({ auth: 'token' }), shown, choice, talk('end')]);
      const heard = await caller.next(call.id);
      const url = await variable(call.id, 'callback.pay.url');
      const [secret, key] = [url.split('/').at(-1) ?? 'none', String(heard.option?.text).split(' ')[1] ?? 'none'];
      expect(heard.option).deep.equal({ text: `${url} ${key}` });
      expect(key).match(/^cbsec_[\w-]{43}$/);
      await caller.next(call.id, shown.id);
      const looks = JSON.stringify([await caller.get(call.id), await caller.trace(call.id), await list(call.id)]);
      await eventually('its events', () => events.of(call.id).length >= 3);
      for (const text of [looks, JSON.stringify(events.of(call.id))]) {
        expect(text.includes(secret) || text.includes(key), 'a secret').equal(false);
      }
      expect(looks).include('/***');
    });

    it('the same place makes the same address, another place another one', async () => {
      const { id } = await executed([
        create({ variable: 'a' }),
        create({ name: 'other', variable: 'b' }),
        create({ variable: 'c' }),
      ]);
      await ended(id);
      const urls = new Set([await variable(id, 'a'), await variable(id, 'b'), await variable(id, 'c')]);
      expect(urls.size).equal(3);
      expect((await list(id)).map(({ name }) => name)).deep.equal(['pay', 'other', 'pay']);
    });

    it('actions that cannot be say why', async () => {
      const reasons = async (...actions: object[]): Promise<string | undefined> => {
        const { id } = await executed(actions);
        await ended(id);
        return (await get().caller.trace(id)).find(({ outcome }) => outcome === 'failed')?.reason.split(':')[0];
      };
      expect(await reasons(wait())).equal('CALLBACK_NOT_FOUND');
      expect(await reasons(wait({ name: '' }))).equal('CALLBACK_NAME_EMPTY');
      expect(await reasons(create({ name: 'x'.repeat(101) }))).equal('CALLBACK_NAME');
      expect(await reasons(create({ methods: ['BREW'] }))).equal('CALLBACK_METHOD');
      expect(await reasons(create(), wait({ into: 'voipbin.activeflow.id' }))).equal('VARIABLE_RESERVED');
      const { id, url, on } = await blocked({}, [wait(), wait()]);
      await send(url, 'x');
      await on();
      await ended(id);
      expect((await get().caller.trace(id)).at(-1)?.reason).match(/^CALLBACK_USED/);
    });

    it('shows callbacks to users of the customer who may read them', async () => {
      const { id } = await waiting();
      const url = `${get().gateway}/v1/activeflows/${id}/callbacks`;
      const permissions = ['org.permission.callback.read'];
      const asked = async (claims?: object): Promise<Response> =>
        fetch(url, claims ? { headers: { authorization: `Bearer ${await token({ org: CUSTOMER, ...claims })}` } } : {});
      const answer = await asked({ permissions });
      expect([answer.status, ((await answer.json()) as Listed[])[0]?.name]).deep.equal([200, 'pay']);
      const codes = [await asked(), await asked({}), await asked({ permissions, org: randomUUID() })].map(({ status }) => status);
      expect(codes).deep.equal([401, 403, 404]);
    });

    it('survives a restart: what was kept is brought, what is waited for still comes', async () => {
      const early = await blocked({}, [wait()]);
      await send(early.url, 'early');
      const late = await waiting();
      await get().restart();
      await early.on();
      expect((await send(late.url, 'late')).code).equal(200);
      await Promise.all([ended(early.id), ended(late.id)]);
      expect(await variable(early.id, 'paid')).include('early');
    });
  },
  FLAGS,
);

eachStage('callbacks without a secret', (get: () => Stage) => {
  it('are not made, and the flow says what is missing', async () => {
    const { caller } = get();
    const made = await caller.started([create()], { reference_type: 'api' });
    await caller.ok('POST', `/v1/activeflows/${made.id}/execute`);
    await eventually('it has failed', async () => (await caller.get(made.id)).status === 'ended');
    expect((await caller.trace(made.id))[0]?.reason).match(/^CALLBACKS_OFF: .*--callback_secret/);
  });
});
