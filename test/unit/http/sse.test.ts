import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect } from 'chai';
import { overSse } from '../../../pkg/http/push/sse.ts';

const SLOW_MS = 50;
/** More than sockets buffer on both sides, taken together. */
const MOST = 200;
const event = (seq: number) => ({ seq, workflow_call_id: 'c', name: 'n', data: 'x'.repeat(1 << 20) });

describe('events on an open answer', () => {
  let server: Server;
  let client: Socket;
  let response: ServerResponse;

  beforeEach(async () => {
    server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const asked = once(server, 'request');
    client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    client.on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    [, response] = (await asked) as [unknown, ServerResponse];
  });

  afterEach(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });

  it('go on while they are taken, however many', async () => {
    client.resume();
    const { sink } = overSse(response, 5_000);
    for (let seq = 1; seq <= 50; seq += 1) expect(await sink.send(event(seq))).to.equal(true);
  });

  it('end for a reader that takes none: what waits for it is bounded', async () => {
    client.pause();
    const { sink } = overSse(response, SLOW_MS);
    let sent = 0;
    while (sent < MOST && (await sink.send(event(sent)))) sent += 1;
    expect(sent).to.be.lessThan(MOST);
  });

  it('end for a reader that is gone', async () => {
    const { sink } = overSse(response, SLOW_MS);
    const closed = once(response, 'close');
    client.destroy();
    await closed;
    expect(await sink.send(event(1))).to.equal(false);
  });
});
