import type { ServerResponse } from 'node:http';
import { type Connection, QUIET_MS, SLOW_MS } from './connection.ts';
import { eventText } from './place.ts';

/** Server-sent events on an answer: one `data:` line each, with the id that a browser sends back when it comes again. */
export function overSse(response: ServerResponse, slow_ms: number = SLOW_MS): Connection {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    // Proxies that buffer would keep events back.
    'x-accel-buffering': 'no',
  });
  response.write('retry: 1000\n\n');
  // A line that means nothing, so that proxies and browsers see a connection that lives.
  const beat = setInterval(() => response.write(': \n\n'), QUIET_MS);
  response.once('close', () => clearInterval(beat));
  response.on('error', () => response.destroy());
  return {
    protocol: 'sse',
    sink: {
      async send(event) {
        if (response.destroyed || response.writableEnded) return false;
        const { id, text } = eventText(event);
        return response.write(`id: ${id}\ndata: ${text}\n\n`) || drained(response, slow_ms);
      },
    },
    onClose: (listener) => response.once('close', listener),
    end: () => response.end(),
    drop: () => response.destroy(),
  };
}

/** False: it has not taken in time what was sent, or is gone. */
function drained(response: ServerResponse, slow_ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(taken);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = setTimeout(onClose, slow_ms);
    response.once('drain', onDrain);
    response.once('close', onClose);
  });
}
