import { expect } from 'chai';
import { maskSecrets } from '../../../pkg/log/mask.ts';
import { maskCallbacks } from '../../../pkg/model/callback.ts';
import { isUuid } from '../../../pkg/model/id.ts';
import { AddressBook, sameText, signatureOf } from '../../../pkg/service/callback/address.ts';
import { payloadOf } from '../../../pkg/service/callback/request.ts';

const PLACE = { activeflow_id: 'a0000000-0000-4000-8000-000000000001', step: 3, name: 'pay' };

describe('the address of a callback', () => {
  const book = new AddressBook('what callbacks are made with');

  it('is the same for the same activeflow, step and name, and another one for any other', () => {
    const places = [PLACE, { ...PLACE, step: 4 }, { ...PLACE, name: 'pay2' }, { ...PLACE, activeflow_id: 'other' }];
    for (const of of [book.id, book.token, book.secret].map((derive) => derive.bind(book))) {
      expect(of(PLACE)).equal(of({ ...PLACE }));
      expect(new Set(places.map(of)).size).equal(places.length);
    }
    const other = new AddressBook('something else than that');
    expect([other.id(PLACE), other.token(PLACE)]).not.members([book.id(PLACE), book.token(PLACE)]);
  });

  it('has an id that is a UUID, and a token of 256 bits', () => {
    expect(isUuid(book.id(PLACE))).equal(true);
    expect(Buffer.from(book.token(PLACE), 'base64url')).length(32);
  });

  it('is masked wherever it is shown, and nothing beside it', () => {
    const url = `https://flows.example.com/v1/callbacks/${book.id(PLACE)}/${book.token(PLACE)}`;
    const text = `call ${url}?x=1 with ${book.secret(PLACE)}, please`;
    const shown = `call https://flows.example.com/v1/callbacks/${book.id(PLACE)}/***?x=1 with cbsec_***, please`;
    expect([maskCallbacks(text), maskSecrets(text)]).deep.equal([shown, shown]);
    expect(maskCallbacks('/v1/callbacks and cbsec_ alone')).equal('/v1/callbacks and cbsec_ alone');
  });

  it('what is shown is compared whole', () => {
    expect([sameText('a', 'a'), sameText('a', 'b'), sameText('a', 'aa'), sameText('', '')]).deep.equal([
      true,
      false,
      false,
      true,
    ]);
    expect(signatureOf(Buffer.from('what do ya want for nothing?'), 'Jefe')).equal(
      'sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('what a flow gets of a request', () => {
  const request = (body: string, headers = {}) => ({
    id: '',
    token: '',
    method: 'POST',
    headers,
    query: {},
    body: Buffer.from(body),
  });
  const bodyOf = (text: string) => payloadOf(request(text), 'now').body;

  it('JSON as it is, anything else as text', () => {
    expect(['{"a":[1]}', '7', 'null', 'x', '', '{'].map(bodyOf)).deep.equal([{ a: [1] }, 7, null, 'x', '', '{']);
    const deep = '['.repeat(100) + ']'.repeat(100);
    expect(bodyOf(deep)).equal(deep);
  });

  it('headers without proofs of who sent it, and not without end', () => {
    const headers = {
      authorization: 'x',
      cookie: 'x',
      'x-callback-signature': 'x',
      accept: 'a',
      'x-many': ['a', 'b'],
      'x-long': 'x'.repeat(5_000),
    };
    expect(payloadOf(request('', headers), 'now').headers).deep.equal({ accept: 'a', 'x-many': 'a, b' });
  });
});
