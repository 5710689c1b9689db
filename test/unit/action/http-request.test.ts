import { expect } from 'chai';
import { maskAction } from '../../../pkg/action/mask.ts';
import { checkOption } from '../../../pkg/action/option.ts';
import { httpRequestAction } from '../../../pkg/action/types/http_request.ts';
import type { Json, JsonObject } from '../../../pkg/model/json.ts';
import { drive, ok, refused } from '../../support/drive.ts';

const URL_OF = 'https://user:pw@api.example.com/v1/things?key=secret';
const run = (option: JsonObject, status: number, body: Json = null) => drive(httpRequestAction, option, [ok({ status, body })]);

describe('http_request', () => {
  it('asks as its option says, with a key by which a repeat is known', () => {
    const option = {
      method: 'post',
      url: URL_OF,
      headers: { 'X-Count': 5, Authorization: 'Bearer x' },
      query: { a: true, b: 'ü' },
      body: { c: [1] },
      timeout: 700,
    };
    expect(run(option, 204).effects).to.deep.equal([
      {
        kind: 'fetch',
        method: 'POST',
        url: URL_OF,
        headers: { 'X-Count': '5', Authorization: 'Bearer x' },
        query: [
          ['a', 'true'],
          ['b', 'ü'],
        ],
        body: { c: [1] },
        timeout_ms: 700,
        keyed: true,
      },
    ]);
    expect(run({ url: URL_OF, body: '<a/>' }, 200).effects[0]).to.include({ method: 'GET', text: '<a/>' });
    expect(run({ url: URL_OF }, 200).effects[0]).to.not.have.any.keys('body', 'text', 'timeout_ms');
  });

  it('sets variables from the answer: text as it is, others as JSON', () => {
    const body = { name: 'Anna', items: [{ 'a/b': 1 }], none: null };
    const extract = { who: '/name', first: '/items/0', deep: '/items/0/a~1b', none: '/none', all: '' };
    const { decision } = run({ url: URL_OF, extract }, 200, body);
    expect(decision).to.deep.include({
      kind: 'next',
      set: { who: 'Anna', first: { 'a/b': 1 }, deep: 1, none: null, all: body },
      reason: 'GET api.example.com: 200; sets who, first, deep, none, all',
    });
    expect(run({ url: URL_OF, extract: { text: '' } }, 200, 'hello').decision?.set).to.deep.equal({ text: 'hello' });
  });

  it('fails when a value is not there, and names it', () => {
    const { failure } = run({ url: URL_OF, extract: { who: '/name/first' } }, 200, { name: 'Anna' });
    expect(failure).to.include({ status: 'FAILED_PRECONDITION', reason: 'HTTP_VALUE_MISSING' });
    expect(failure?.message).to.include('/name/first').and.include('who').and.not.include('Anna');
  });

  it('fails at a status that is not expected; retryable is what the other side has to mend', () => {
    const cases: readonly (readonly [number, readonly number[], string | undefined])[] = [
      [200, [], undefined],
      [299, [], undefined],
      [404, [404, 200], undefined],
      [200, [404], 'FAILED_PRECONDITION'],
      [302, [], 'FAILED_PRECONDITION'],
      [404, [], 'FAILED_PRECONDITION'],
      [408, [], 'UNAVAILABLE'],
      [429, [], 'UNAVAILABLE'],
      [500, [], 'UNAVAILABLE'],
      [503, [200], 'UNAVAILABLE'],
    ];
    for (const [status, expected, wanted] of cases) {
      const { failure } = run({ url: URL_OF, expect: [...expected] }, status);
      expect(failure?.status, String(status)).to.equal(wanted);
      if (failure) expect(failure).to.include({ reason: 'HTTP_STATUS_UNEXPECTED' });
      if (failure)
        expect(failure.message)
          .to.include(`api.example.com: answered with status ${status}`)
          .and.not.match(/pw|secret/);
    }
  });

  it('fails with what the request failed with', () => {
    const { failure } = drive(httpRequestAction, { url: URL_OF }, [refused('HTTP_ADDRESS_NOT_ALLOWED', 'PERMISSION_DENIED')]);
    expect(failure).to.include({ status: 'PERMISSION_DENIED', reason: 'HTTP_ADDRESS_NOT_ALLOWED' });
  });

  it('fails without an address, and sets no variable of the service’s own', () => {
    expect(drive(httpRequestAction, {}).failure).to.include({ reason: 'NO_URL' });
    const extract = { 'voipbin.activeflow.id': '' };
    expect(drive(httpRequestAction, { url: URL_OF, extract }).failure).to.include({ reason: 'VARIABLE_RESERVED' });
  });

  it('takes no option that makes no sense', () => {
    const bad: readonly (readonly [JsonObject, string])[] = [
      [{ timeout: 0 }, '/timeout'],
      [{ timeout: 60_001 }, '/timeout'],
      [{ expect: [42] }, '/expect/0'],
      [{ headers: { a: [] } }, '/headers/a'],
      [{ query: 'a=1' }, '/query'],
      [{ extract: { a: 'name' } }, '/extract/a'],
    ];
    for (const [option, path] of bad) {
      expect(checkOption('http_request', option, { templates: true }).errors.map((one) => one.path)).to.include(path);
    }
    const templates = { timeout: '${t}', headers: { a: '${h}' }, extract: { a: '/x' }, body: { b: '${b}' } };
    expect(checkOption('http_request', templates, { templates: true }).errors).to.deep.equal([]);
  });

  it('is shown without what may be a secret', () => {
    const option = {
      url: URL_OF,
      headers: { Authorization: 'Bearer x' },
      query: { token: 'y', b: 1 },
      body: { c: 1 },
      timeout: 5,
    };
    expect(maskAction({ id: 'i', type: 'http_request', option }).option).to.deep.equal({
      url: 'https://***@api.example.com/v1/things?key=***',
      headers: { Authorization: '***' },
      query: { token: '***', b: '***' },
      body: { c: 1 },
      timeout: 5,
    });
    const odd: readonly [string, string][] = [
      ['no address secret', '***'],
      ['https://a.example.com/?secret', 'https://a.example.com/?***'],
      ['https://a.example.com/?a=1&secret', 'https://a.example.com/?a=***&***'],
      ['https://a.example.com/p#secret', 'https://a.example.com/p'],
    ];
    for (const [url, shown] of odd) {
      expect(maskAction({ id: 'i', type: 'http_request', option: { url, headers: 'secret' } }).option).to.deep.equal({
        url: shown,
        headers: '***',
      });
    }
    const other = { id: 'i', type: 'talk', option: { text: 'x' } };
    expect(maskAction(other)).to.equal(other);
  });
});
