import { expect } from 'chai';
import { FlowError } from '../../../pkg/error/index.ts';
import { classify, NotConnected, StatementTimeout, spoilsConnection, toStoreError } from '../../../pkg/store/errors.ts';
import { settle } from '../../../pkg/store/settle.ts';
import { outcomeOf, TOKEN_LENGTH, TOKENS_LENGTH, TokenSource } from '../../../pkg/store/token.ts';

const source = new TokenSource();
const token = source.next();
const COMMIT = { id: 'a', revision: 5, token };
const lost = (): Error => Object.assign(new Error('gone'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true });
const deadlock = (): Error => Object.assign(new Error('deadlock'), { errno: 1213, code: 'ER_LOCK_DEADLOCK' });

/** What the database does at each write, and what the row is when it is read. */
function attempt(writes: readonly (boolean | Error)[], row?: { revision: number; tokens: string }) {
  let n = 0;
  return {
    calls: () => n,
    async write(): Promise<boolean> {
      const outcome = writes[Math.min(n, writes.length - 1)] ?? false;
      n += 1;
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    async read() {
      return row;
    },
  };
}

const START = { deadline: Number.POSITIVE_INFINITY, unknown: false };

describe('settling a commit', () => {
  it('believes the first answer', async () => {
    expect(await settle(COMMIT, 'db', START, attempt([true]))).to.equal(true);
    expect(await settle(COMMIT, 'db', START, attempt([false], { revision: 5, tokens: token }))).to.equal(false);
  });

  it('writes again what the server rolled back', async () => {
    const tries = attempt([deadlock(), deadlock(), true]);
    expect(await settle(COMMIT, 'db', START, tries)).to.equal(true);
    expect(tries.calls()).to.equal(3);
  });

  it('writes again what may not have arrived', async () => {
    expect(await settle(COMMIT, 'db', START, attempt([lost(), lost(), true]))).to.equal(true);
  });

  it('knows by its token that it had arrived, also under later commits', async () => {
    const rows = [
      { row: { revision: 5, tokens: token + source.next() }, won: true },
      { row: { revision: 7, tokens: source.next() + source.next() + token }, won: true },
      { row: { revision: 5, tokens: source.next() + token }, won: false },
      { row: { revision: 4, tokens: token }, won: false },
      { row: undefined, won: false },
    ];
    for (const { row, won } of rows) {
      expect(await settle(COMMIT, 'db', START, attempt([lost(), false], row))).to.equal(won);
      expect(await settle(COMMIT, 'db', { ...START, unknown: true }, attempt([false], row))).to.equal(won);
    }
  });

  it('does not guess when too many commits came after it', async () => {
    const row = { revision: 5 + TOKENS_LENGTH / TOKEN_LENGTH, tokens: 'x'.repeat(TOKENS_LENGTH) };
    expect(await settle(COMMIT, 'db', START, attempt([lost(), false], row)))
      .to.be.instanceOf(FlowError)
      .and.include({ status: 'UNAVAILABLE' });
  });

  it('is told at once that nothing was sent, unless an earlier try is open', async () => {
    const refused = new NotConnected(new Error('refused'));
    const once = attempt([refused]);
    expect(await settle(COMMIT, 'db', START, once)).to.include({ status: 'UNAVAILABLE' });
    expect(once.calls()).to.equal(1);
    expect(await settle(COMMIT, 'db', START, attempt([lost(), refused, true]))).to.equal(true);
  });

  it('gives up at its deadline', async () => {
    const result = await settle(COMMIT, 'db', { deadline: Date.now() + 100, unknown: false }, attempt([lost()]));
    expect(result).to.be.instanceOf(FlowError).and.have.property('message').that.includes('not known');
  });
});

describe('tokens', () => {
  it('are of one length, and all different', () => {
    const tokens = Array.from({ length: 1000 }, (_, n) => (n % 2 === 0 ? source : new TokenSource()).next());
    expect(new Set(tokens).size).to.equal(1000);
    expect(new Set(tokens.map((one) => one.length))).to.deep.equal(new Set([TOKEN_LENGTH]));
  });

  it('tell whose revision it was', () => {
    expect(outcomeOf(COMMIT, { revision: 6, tokens: source.next() + token })).to.equal('won');
    expect(outcomeOf(COMMIT, { revision: 6, tokens: source.next() + source.next() })).to.equal('lost');
    expect(outcomeOf(COMMIT, { revision: 6, tokens: source.next() })).to.equal('unknown');
  });
});

describe('errors of the drivers', () => {
  const of = (fields: object): Error => Object.assign(new Error('said'), fields);

  it('are told apart', () => {
    expect(classify(of({ errno: 1062, code: 'ER_DUP_ENTRY' }))).to.equal('duplicate');
    expect(classify(of({ code: 'SQLITE_CONSTRAINT_UNIQUE' }))).to.equal('duplicate');
    expect(classify(of({ errno: 1205 }))).to.equal('contention');
    expect(classify(of({ code: 'SQLITE_BUSY_SNAPSHOT' }))).to.equal('contention');
    expect(classify(of({ errno: -104, code: 'ECONNRESET' }))).to.equal('lost');
    expect(classify(of({ fatal: true }))).to.equal('lost');
    expect(classify(new StatementTimeout(5))).to.equal('lost');
    expect(classify(of({ errno: -111, code: 'ECONNREFUSED', fatal: true }))).to.equal('refused');
    expect(classify(of({ errno: 1290 }))).to.equal('refused');
    expect(classify(of({ errno: 1836 }))).to.equal('refused');
    expect(classify(of({ errno: 1153 }))).to.equal('too_large');
    expect(classify(of({ errno: 1064, code: 'ER_PARSE_ERROR' }))).to.equal('other');
    expect(classify('text')).to.equal('other');
  });

  it('become errors that say whether to try again', () => {
    expect(toStoreError(of({ errno: 1290 }), 'db:1/x')).to.include({
      status: 'UNAVAILABLE',
      reason: 'DATABASE_UNAVAILABLE',
      retryable: true,
    });
    expect(toStoreError(of({ errno: 1153 }), 'db:1/x')).to.include({ reason: 'ROW_TOO_LARGE', retryable: false });
    expect(toStoreError(of({ errno: 1064 }), 'db:1/x')).to.include({ status: 'INTERNAL', message: 'database db:1/x: said' });
  });

  it('end the connection when it is of no more use, a read-only server among them', () => {
    expect([1290, 1836, 1053, 1153, 1062, 1213].map((errno) => spoilsConnection(of({ errno })))).to.deep.equal([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
  });
});
