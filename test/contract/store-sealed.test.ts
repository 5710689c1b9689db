/** Secrets of subscriptions, as the database has them. */
import { expect } from 'chai';
import type { Subscription } from '../../pkg/model/subscription.ts';
import { failureOf } from '../support/failure.ts';
import { eachStore } from '../support/stores.ts';
import { subscriptionTo } from '../support/subscriptions.ts';

const [OLD, NEW] = ['a key of former times, long enough', 'the key of today, which is long enough'];

function subscription(): Subscription {
  const signing = [{ secret: 'whsec_nobody_reads_it', until: null }];
  return { ...subscriptionTo('https://a.example/'), secrets: { access_key: 'ünread', headers: {}, signing } };
}

eachStore('secrets of subscriptions', (get) => {
  const opened = (...secret_keys: string[]) => get().bench.open({ secret_keys }).subscriptions;
  const stored = async ({ id }: Subscription): Promise<string> => {
    const [row] = await get().bench.sql('select secrets from subscriptions where id = ?', [id]);
    return String(row?.secrets);
  };

  it('are sealed with the first key, and opened with whichever sealed them', async () => {
    const one = subscription();
    await opened(OLD).create(one);
    const first = await stored(one);
    expect(first)
      .to.match(/^sealed:[0-9a-f]{8}:/)
      .and.not.include('whsec_');
    expect(await opened(NEW, OLD).get(one.id)).to.deep.equal(one);
    await opened(NEW, OLD).update({ ...one, revision: 2 }, 1, []);
    expect((await stored(one)).slice(0, 15)).not.to.equal(first.slice(0, 15));
    expect(await opened(NEW).get(one.id)).to.deep.equal({ ...one, revision: 2 });
  });

  it('are read as they are when they were written without a key', async () => {
    const one = subscription();
    await opened().create(one);
    expect(JSON.parse(await stored(one))).to.deep.equal(one.secrets);
    expect(await opened(NEW).get(one.id)).to.deep.equal(one);
  });

  it('are not read without their key, changed, or in the row of another', async () => {
    const [one, other] = [subscription(), subscription()];
    await opened(NEW).create(one);
    await opened(NEW).create(other);
    expect(await failureOf(opened(OLD).get(one.id))).to.include({ status: 'UNAVAILABLE', reason: 'SECRETS_SEALED' });
    expect((await failureOf(opened().get(one.id))).message)
      .to.include('--subscription_secret_key')
      .and.not.include(OLD);
    await get().bench.sql('update subscriptions set secrets = ? where id = ?', [await stored(other), one.id]);
    expect(await failureOf(opened(NEW).get(one.id))).to.include({ reason: 'SECRETS_SEALED' });
    const text = await stored(other);
    const changed = text.slice(0, -4) + (text.endsWith('AAAA') ? 'BBBB' : 'AAAA');
    await get().bench.sql('update subscriptions set secrets = ? where id = ?', [changed, other.id]);
    expect(await failureOf(opened(NEW).get(other.id))).to.include({ reason: 'SECRETS_SEALED' });
  });
});
