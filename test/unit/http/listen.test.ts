import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { parseListenAddress } from '../../../pkg/http/listen.ts';

describe('parseListenAddress', () => {
  const good: readonly (readonly [string, string, number])[] = [
    [':2112', '', 2112],
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['localhost:0', 'localhost', 0],
    ['[::1]:443', '::1', 443],
    [':65535', '', 65_535],
  ];
  for (const [text, host, port] of good) {
    it(`takes ${text}`, () => {
      expect(parseListenAddress(text)).to.deep.equal({ host, port });
    });
  }

  for (const text of ['', '2112', ':', ':x', ':65536', '::1:80', 'http://localhost:80', ':80 ', '[::1]', '[x]:80']) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(() => parseListenAddress(text))
        .to.throw(FlowError)
        .with.property('status', 'INVALID_ARGUMENT');
    });
  }
});
