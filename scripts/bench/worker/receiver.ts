import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ReceiverCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/** An endpoint that answers at once, and knows how long a number of requests took from the first to the last. */
let wanted = 0;
let count = 0;
let from = 0;
let done: (seconds: number) => void = () => undefined;

const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => {
    response.end('{"code":"SUCCESS"}');
    if (count === 0) from = performance.now();
    count += 1;
    if (count === wanted) done((performance.now() - from) / 1_000);
  });
});

serve<ReceiverCommands>({
  serve: async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
  },
  expect: async ({ requests }) => {
    [wanted, count] = [requests, 0];
    const seconds = await new Promise<number>((resolve) => {
      done = resolve;
    });
    return { seconds };
  },
  count: async () => ({ requests: count }),
});
