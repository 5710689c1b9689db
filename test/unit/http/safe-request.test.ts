import { expect } from 'chai';
import { prepare } from '../../../pkg/http/safe-request.ts';

/** Values by name, as they go out. */
function sent(headers: Readonly<Record<string, string>>, more: { readonly text?: string } = {}): [string, string][] {
  const { headers: flat } = prepare({ method: 'POST', url: 'http://example.com/', headers, ...more }, 1_000);
  return flat.flatMap((name, at): [string, string][] => (at % 2 === 0 ? [[name, flat[at + 1] ?? '']] : []));
}

describe('headers of a request to an address of a customer', () => {
  it('are our own where none is asked for', () => {
    expect(Object.fromEntries(sent({}, { text: 'x' }))).to.deep.equal({
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'flow-manager',
      'content-type': 'text/plain; charset=utf-8',
    });
  });

  it('are those that are asked for in place of ours, each once', () => {
    const headers = sent({ Accept: 'text/html', 'X-One': '1', 'User-Agent': 'mine' });
    expect(headers.map(([name]) => name)).to.have.members(['accept', 'accept-encoding', 'user-agent', 'x-one']);
    expect(Object.fromEntries(headers)).to.include({ accept: 'text/html', 'user-agent': 'mine', 'x-one': '1' });
  });

  it('of several spellings of one name go out once, as the last one says', () => {
    expect(sent({ 'X-Key': 'a', 'x-key': 'b', 'X-KEY': 'c' }).filter(([name]) => name === 'x-key')).to.deep.equal([
      ['x-key', 'c'],
    ]);
  });

  it('are refused by their names each time', () => {
    for (const _ of [1, 2]) {
      expect(() => sent({ Host: 'x' })).to.throw('a header that a request may choose itself');
      expect(() => sent({ 'not good': 'x' })).to.throw('the name of a header');
      expect(() => sent({ 'x-one': 'a\nb' })).to.throw('of one line');
    }
  });
});
