import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Connection, QUIET_MS, SLOW_MS } from './connection.ts';
import { eventText } from './place.ts';

/** Receivers send nothing but what keeps the connection. */
const MAX_PAYLOAD = 1024;
/** By RFC 6455, 7.4: from 4000 on they are the application's own; this one is HTTP's 401. */
const CODES = { leaving: 1001, expired: 4401 } as const;

const server = new WebSocketServer({ noServer: true, maxPayload: MAX_PAYLOAD, perMessageDeflate: false });

/** A WebSocket with a message for each event; `use` is called once it is open. */
export function overWebSocket(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  use: (connection: Connection) => void,
): void {
  server.handleUpgrade(request, socket, head, (ws) => use(connectionOf(ws)));
}

function connectionOf(ws: WebSocket): Connection {
  let alive = true;
  ws.on('pong', () => {
    alive = true;
  });
  ws.on('error', () => ws.terminate());
  const beat = setInterval(() => {
    if (!alive) ws.terminate();
    alive = false;
    ws.ping();
  }, QUIET_MS);
  ws.once('close', () => clearInterval(beat));
  return {
    protocol: 'websocket',
    sink: { send: (event) => sent(ws, eventText(event).text) },
    onClose: (listener) => ws.once('close', listener),
    end: (why) => ws.close(CODES[why], why),
    drop: () => ws.terminate(),
  };
}

/** Resolves when the socket has taken it; false: it is gone, or did not in time. */
function sent(ws: WebSocket, text: string): Promise<boolean> {
  if (ws.readyState !== ws.OPEN) return Promise.resolve(false);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), SLOW_MS);
    ws.send(text, (error) => {
      clearTimeout(timer);
      resolve(!error);
    });
  });
}
