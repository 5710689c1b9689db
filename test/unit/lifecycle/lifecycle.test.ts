import { expect } from 'chai';
import { Lifecycle, retryUntilUp, stopOnSignals } from '../../../pkg/lifecycle/index.ts';

/** A log that remembers its lines. */
function memoryLog() {
  const lines: { level: string; fields: Record<string, unknown>; message: string }[] = [];
  const at = (level: string) => (fields: object, message: string) => {
    lines.push({ level, fields: { ...fields }, message });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

const never = new Promise<never>(() => {});

describe('lifecycle', () => {
  it('closes what was opened last first, one after the other', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle(memoryLog(), 1_000);
    lifecycle.onStop('store', () => closed.push('store'));
    lifecycle.onStop('bus', async () => {
      await new Promise(setImmediate);
      closed.push('bus');
    });
    lifecycle.onStop('rpc', () => closed.push('rpc'));
    expect(await lifecycle.stop('SIGTERM')).to.equal(true);
    expect(closed).to.deep.equal(['rpc', 'bus', 'store']);
  });

  it('tells at once that it stops, and stops once however often it is asked', async () => {
    const lifecycle = new Lifecycle(memoryLog(), 1_000);
    let closed = 0;
    lifecycle.onStop('store', () => closed++);
    const first = lifecycle.stop('SIGTERM');
    expect(lifecycle.stopping.aborted).to.equal(true);
    expect(lifecycle.stop('again')).to.equal(first);
    await first;
    expect(closed).to.equal(1);
  });

  it('goes on when closing one of them fails', async () => {
    const log = memoryLog();
    const lifecycle = new Lifecycle(log, 1_000);
    let closed = false;
    lifecycle.onStop('store', () => {
      closed = true;
    });
    lifecycle.onStop('bus', () => Promise.reject(new Error('already closed')));
    expect(await lifecycle.stop('SIGTERM')).to.equal(true);
    expect(closed).to.equal(true);
    expect(log.lines.filter(({ level }) => level === 'error').map(({ fields }) => fields.closing)).to.deep.equal(['bus']);
  });

  it('gives up at the deadline, aborts what still waits and names what was left', async () => {
    const log = memoryLog();
    const lifecycle = new Lifecycle(log, 5);
    let deadline: AbortSignal | undefined;
    lifecycle.onStop('store', () => {});
    lifecycle.onStop('rpc', (signal) => {
      deadline = signal;
      return never;
    });
    expect(await lifecycle.stop('SIGTERM')).to.equal(false);
    expect(deadline?.aborted).to.equal(true);
    expect(log.lines.at(-1)?.fields.left).to.deep.equal(['rpc', 'store']);
  });

  it('closes what is opened while it stops, and after', async () => {
    const closed: string[] = [];
    const lifecycle = new Lifecycle(memoryLog(), 1_000);
    lifecycle.onStop('first', () => lifecycle.onStop('during', () => closed.push('during')));
    await lifecycle.stop('SIGTERM');
    expect(closed).to.deep.equal(['during']);
    await new Promise((resolve) => lifecycle.onStop('after', resolve));
  });
});

describe('signals', () => {
  function fakeProcess() {
    const listeners = new Map<string, (signal: string) => void>();
    let exited: (code: number) => void = () => {};
    const code = new Promise<number>((resolve) => {
      exited = resolve;
    });
    return {
      on: (signal: string, listener: (signal: string) => void) => listeners.set(signal, listener),
      exit: (code: number) => exited(code),
      send: (signal: string) => listeners.get(signal)?.(signal),
      code,
    };
  }

  it('drain on the first and end with 0', async () => {
    const lifecycle = new Lifecycle(memoryLog(), 1_000);
    let closed = false;
    lifecycle.onStop('store', () => {
      closed = true;
    });
    const source = fakeProcess();
    stopOnSignals(lifecycle, memoryLog(), source);
    source.send('SIGTERM');
    expect(await source.code).to.equal(0);
    expect(closed).to.equal(true);
  });

  it('end with 1 when the deadline passed', async () => {
    const lifecycle = new Lifecycle(memoryLog(), 5);
    lifecycle.onStop('rpc', () => never);
    const source = fakeProcess();
    stopOnSignals(lifecycle, memoryLog(), source);
    source.send('SIGINT');
    expect(await source.code).to.equal(1);
  });

  it('end at once on the second', async () => {
    const lifecycle = new Lifecycle(memoryLog(), 60_000);
    let release: () => void = () => {};
    lifecycle.onStop('rpc', () => new Promise<void>((resolve) => (release = resolve)));
    const source = fakeProcess();
    stopOnSignals(lifecycle, memoryLog(), source);
    source.send('SIGTERM');
    source.send('SIGINT');
    expect(await source.code).to.equal(130);
    release();
  });
});

describe('retryUntilUp', () => {
  const backoff = { first_ms: 1, max_ms: 4 };

  it('tries until it succeeds, saying for what it waits and why', async () => {
    const log = memoryLog();
    let tries = 0;
    const attempt = async () => {
      if (++tries < 5) throw new Error('connect ECONNREFUSED');
      return 'connection';
    };
    expect(await retryUntilUp('rabbitmq', attempt, log, new AbortController().signal, backoff)).to.equal('connection');
    const waits = log.lines.filter(({ level }) => level === 'warn');
    expect(waits.map(({ message }) => message)).to.deep.equal(Array(4).fill('waiting for rabbitmq'));
    expect(waits.map(({ fields }) => fields.retry_ms)).to.deep.equal([1, 2, 4, 4]);
    expect(waits[0]?.fields.error).to.have.property('message', 'connect ECONNREFUSED');
    expect(log.lines.at(-1)).to.deep.include({ level: 'info', message: 'rabbitmq is up' });
  });

  it('gives up when the process is to stop, in the middle of a pause', async () => {
    const stop = new AbortController();
    const down = async () => {
      setImmediate(() => stop.abort(new Error('stopping: SIGTERM')));
      throw new Error('down');
    };
    const failure = await retryUntilUp('mariadb', down, memoryLog(), stop.signal, { first_ms: 60_000, max_ms: 60_000 }).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).to.have.property('message', 'stopping: SIGTERM');
  });

  it('does not begin when it is too late', async () => {
    const stop = AbortSignal.abort(new Error('stopping'));
    let tries = 0;
    const failure = await retryUntilUp('redis', async () => tries++, memoryLog(), stop).catch((error: unknown) => error);
    expect(failure).to.have.property('message', 'stopping');
    expect(tries).to.equal(0);
  });
});
