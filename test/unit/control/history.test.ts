import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import type { Json } from '../../../pkg/model/json.ts';
import { id } from '../../support/engine_flow.ts';
import { control, good } from './support.ts';

const loops = readFileSync(new URL('../../fixtures/histories/loops.json', import.meta.url), 'utf8');
const files = {
  'equal.json': loops,
  'other.json': loops.replaceAll('"loop_count":2', '"loop_count":3'),
  'flow.json': '{"actions":[]}',
  'text.json': 'hello',
};
const nobody = () => {
  throw new Error('nobody is to be asked');
};

describe('control: replay', () => {
  it('is 0 where all is decided the same, and asks nobody', async () => {
    const { code, out, connected } = await control(['replay', 'equal.json'], nobody, { files });
    expect([code, out, connected]).to.deep.equal([0, 'equal  equal.json: 12 decisions', []]);
  });

  it('is 1 where it is decided otherwise, and says where, what then and what now', async () => {
    const { code, out } = await control(['replay', 'equal.json', 'other.json'], nobody, { files });
    expect(code).to.equal(1);
    expect(out).to.match(/^decided otherwise {2}other\.json, after 2 equal decisions$/m);
    expect(out).to.match(new RegExp(`revision 3, step 2, action goto ${id('b')}: trace$`, 'm'));
    expect(out).to.match(/^ +then \{.*\}$/m);
    expect(out).to.match(/^ +now \{.*\}$/m);
  });

  it('shows the same as JSON', async () => {
    const { code, out } = await control(['--json', 'replay', 'equal.json', 'other.json'], nobody, { files });
    const shown = JSON.parse(out) as { name: string; decisions: number; difference: { what: string } | null }[];
    expect(code).to.equal(1);
    expect(shown.map(({ decisions }) => decisions)).to.deep.equal([12, 2]);
    expect(shown.map(({ difference }) => difference?.what)).to.deep.equal([undefined, 'trace']);
  });

  for (const [name, said] of [
    ['flow.json', /format/],
    ['text.json', /is not JSON/],
    ['gone.json', /cannot read gone.json/],
  ] as const) {
    it(`is 2 where a history cannot be read, and reads the others: ${name}`, async () => {
      const { code, out, err } = await control(['replay', name, 'other.json', 'equal.json'], nobody, { files });
      expect(code).to.equal(2);
      expect(err).to.match(said);
      expect(out).to.include('equal  equal.json').and.to.include('decided otherwise');
    });
  }

  it('is 2 where nothing is named, or both', async () => {
    for (const argv of [['replay'], ['replay', 'equal.json', '--id', 'x']]) {
      expect((await control(argv, nobody, { files })).code).to.equal(2);
    }
  });

  it('asks a daemon for a history by its id', async () => {
    const { code, out, sent } = await control(['replay', '--id', 'a'], () => good(JSON.parse(loops) as Json));
    expect([code, out]).to.deep.equal([0, 'equal  a: 12 decisions']);
    expect(sent.map(({ method, uri }) => `${method} ${uri}`)).to.deep.equal(['GET /v1/activeflows/a/history']);
    const missing = { status: 'NOT_FOUND', reason: 'HISTORY_NOT_KEPT', message: 'no history is kept' };
    const refused = await control(['replay', '--id', 'a'], () => ({ status_code: 404, data: missing }));
    expect(refused.code).to.equal(2);
    expect(refused.err).to.include('HISTORY_NOT_KEPT');
  });

  it('reads what was exported', async () => {
    const { out } = await control(['history', 'export', 'a'], () => good(JSON.parse(loops) as Json));
    expect((await control(['replay', '-'], nobody, { files: { '-': out } })).code).to.equal(0);
  });
});
