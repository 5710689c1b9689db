/** What contact-manager says of its cases: nobody has written down how, so it is read with patience. */
import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { Json } from '../../../pkg/model/json.ts';
import { EventDispatcher } from '../../../pkg/rpc/events.ts';
import type { Context } from '../../../pkg/service/context.ts';
import type { Delivery, Store, Verdict } from '../../../pkg/service/ports.ts';
import type { Service } from '../../../pkg/service/service.ts';
import { CaseService } from '../../../pkg/service/subscription/cases.ts';
import type { FanOut } from '../../../pkg/service/subscription/fan-out.ts';
import { openSqliteStore } from '../../../pkg/store/index.ts';
import { QuietLog } from '../../support/quiet_log.ts';
import { RecordingMeter } from '../../support/recorders.ts';

const [id, customer_id] = [randomUUID(), randomUUID()];
const DATA = { id, customer_id, status: 'closed' };

describe('events of cases', () => {
  let store: Store;
  let meter: RecordingMeter;
  let told: unknown[];
  let dispatcher: EventDispatcher;

  beforeEach(async () => {
    store = openSqliteStore({ file: ':memory:' });
    await store.migrate();
    meter = new RecordingMeter();
    told = [];
    const context = { store, clock: { now: () => Date.now() } } as unknown as Context;
    const fanOut = { notify: async (subject: object, { payload }: { payload: object }) => told.push({ subject, payload }) };
    const cases = new CaseService(context, fanOut as unknown as FanOut);
    dispatcher = new EventDispatcher({ context, cases } as unknown as Service, 10, meter, new QuietLog());
  });

  afterEach(() => store.close());

  function hear(type: string, data: Json): Promise<Verdict> {
    const body = Buffer.from(JSON.stringify({ type, publisher: 'contact-manager', data }));
    return dispatcher.handle({ body, message_id: randomUUID(), redelivered: false, headers: {} } as unknown as Delivery);
  }

  const ignored = (): number => meter.of('case_event_ignored_total').length;

  for (const type of ['case_updated', 'case_closed', 'case_status_changed', 'case_x']) {
    it(`${type} tells of the status`, async () => {
      expect((await hear(type, DATA)).kind).to.equal('done');
      const { id: _, ...rest } = DATA;
      await hear(type, { ...rest, case_id: id });
      const payload = { caseId: id, event: 'STATUS_CHANGED', status: 'closed' };
      const subject = { customer_id };
      expect(told).to.have.length(2);
      for (const one of told)
        expect(one).to.deep.include({ payload }).and.to.have.nested.include({ 'subject.customer_id': subject.customer_id });
      expect(meter.of('receive_subscribe_event_process_time').map(({ labels }) => labels.type)).to.deep.equal([
        'case_…',
        'case_…',
      ]);
      expect(ignored()).to.equal(0);
    });
  }

  it('what does not say which case it is, whose, or how it stands is counted and left', async () => {
    const bad: Json[] = [null, 5, [], {}, { ...DATA, id: 'x' }, { ...DATA, customer_id: 5 }, { ...DATA, status: {} }];
    bad.push({ ...DATA, status: '' }, { ...DATA, status: 'x'.repeat(256) });
    for (const data of bad) expect((await hear('case_updated', data)).kind, JSON.stringify(data)).to.equal('done');
    expect([told, ignored()]).to.deep.equal([[], bad.length]);
  });

  it('that one was made is told by its action, and others are no cases', async () => {
    for (const type of ['case_created', 'contact_updated', 'cases', 'constructor']) await hear(type, DATA);
    expect([told, ignored()]).to.deep.equal([[], 0]);
  });
});
