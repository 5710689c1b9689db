import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { decodeResponse, encodeRequest, LostAnswer } from '../../../cmd/control/client.ts';
import { BusRpcClient } from '../../../cmd/control/client-bus.ts';
import { HttpRpcClient } from '../../../cmd/control/client-http.ts';
import { BusError } from '../../../pkg/service/ports.ts';

async function thrown(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('control: clients', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.closeAllConnections();
      server.close();
    }
  });

  /** Answers every request with what `answer` makes of its path and body; undefined: never. */
  async function serve(answer: (path: string, body: string) => string | undefined): Promise<string> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const text = answer(`${request.method} ${request.url}`, Buffer.concat(chunks).toString());
        if (text !== undefined) response.end(text);
      });
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('posts an envelope to /rpc and reads one', async () => {
    const seen: string[] = [];
    const base = await serve((path, body) => {
      seen.push(path, body);
      return JSON.stringify({ status_code: 404, data_type: 'voipbin_error', data: { status: 'NOT_FOUND' } });
    });
    const answer = await new HttpRpcClient(base, 1000).rpc('GET', '/v1/flows/x', { a: 1 }, { request_id: 'r' });
    expect(answer).to.deep.equal({ status_code: 404, data: { status: 'NOT_FOUND' } });
    expect(seen[0]).to.equal('POST /rpc');
    expect(JSON.parse(seen[1] ?? '')).to.deep.equal({
      uri: '/v1/flows/x',
      method: 'GET',
      publisher: 'flow-control',
      request_id: 'r',
      data_type: 'application/json',
      data: { a: 1 },
    });
  });

  it('tells a request that reached nobody from one whose answer was lost', async () => {
    const silent = await serve(() => undefined);
    const lost = await thrown(new HttpRpcClient(silent, 50).rpc('GET', '/v1/flows'));
    expect(lost).to.be.instanceOf(LostAnswer).and.include({ reached: true });
    const gone = await serve(() => '');
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const refused = await thrown(new HttpRpcClient(gone, 1000).rpc('GET', '/v1/flows'));
    expect(refused).to.be.instanceOf(LostAnswer).and.include({ reached: false });
  });

  it('takes what is no envelope for no answer', async () => {
    const base = await serve(() => '<html>a proxy</html>');
    expect(await thrown(new HttpRpcClient(base, 1000).rpc('GET', '/v1/flows'))).to.be.instanceOf(LostAnswer);
  });

  it('asks over a bus with the request id as message id', async () => {
    const asked: unknown[] = [];
    const client = new BusRpcClient(
      {
        request: async (queue, body, options) => {
          asked.push(queue, JSON.parse(body).request_id, options);
          return Buffer.from('{"status_code":200,"data":"{\\"a\\":1}"}');
        },
      },
      'q',
      70,
    );
    expect(await client.rpc('GET', '/v1/flows', undefined, { request_id: 'r' })).to.deep.equal({
      status_code: 200,
      data: { a: 1 },
    });
    expect(asked).to.deep.equal(['q', 'r', { timeout_ms: 70, message_id: 'r' }]);
  });

  it('knows that an unroutable request reached nobody, and lets what is no bus error through', async () => {
    const failing = (error: Error) => new BusRpcClient({ request: () => Promise.reject(error) }, 'q', 70).rpc('GET', '/v1/flows');
    expect(await thrown(failing(new BusError('unroutable', 'x')))).to.include({ name: 'LostAnswer', reached: false });
    expect(await thrown(failing(new BusError('timeout', 'x')))).to.include({ name: 'LostAnswer', reached: true });
    expect(await thrown(failing(new TypeError('x')))).to.be.instanceOf(TypeError);
  });

  it('makes a new request id each time it is given none', () => {
    expect(encodeRequest('GET', '/', undefined).request_id).not.to.equal(encodeRequest('GET', '/', undefined).request_id);
  });

  it('reads data that is JSON in a string, and text that is none', () => {
    expect(decodeResponse('{"status_code":200,"data":"[1]"}').data).to.deep.equal([1]);
    expect(decodeResponse('{"status_code":200,"data":"plain"}').data).to.equal('plain');
    expect(decodeResponse('{"status_code":200}').data).to.equal(null);
  });
});
