import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Command, Option } from 'commander';
import { isJsonObject, type Json } from '../../pkg/model/json.ts';
import { isSecret, webhookProblem } from '../../pkg/service/subscription/signature.ts';
import type { Context } from './context.ts';
import { parseWithin, UsageError } from './input.ts';
import { globalOptions } from './options.ts';
import { printable } from './table.ts';
import { paint, type Terminal } from './terminal.ts';

interface ListenOptions {
  readonly port: number;
  readonly host: string;
  readonly secret?: string;
  readonly status: number;
}

const MOST_BYTES = 1 << 20;

/** A receiver on this machine, to see what arrives and whether it is signed as it should be. */
export function addListenCommand(subscription: Command, context: Context): void {
  subscription
    .command('listen')
    .description('receives notifications here, shows and verifies them, until Ctrl-C')
    .addOption(new Option('--port <port>', 'where; 0: any that is free').default(8090).argParser(parseWithin(0, 65_535)))
    .option('--host <host>', 'at which address', '127.0.0.1')
    .option('--secret <whsec…>', 'what they must be signed with; default: they are not verified')
    .addOption(new Option('--status <code>', 'what they are answered with').default(200).argParser(parseWithin(200, 599)))
    .action(async (options: ListenOptions, command: Command) => {
      const { secret } = options;
      if (secret !== undefined && !isSecret(secret))
        throw new UsageError('--secret: expected whsec_ and base64 of 24 to 64 bytes');
      const { json } = globalOptions(command);
      await listen(context, options, (arrived) =>
        context.terminal.out(json ? JSON.stringify(arrived) : listenLine(context.terminal, arrived)),
      );
    });
}

interface Arrived {
  readonly id: string;
  /** As it was verified: `good`, `not verified`, or what is wrong. */
  readonly signature: string;
  readonly repeat: boolean;
  readonly body: Json;
}

async function listen(context: Context, options: ListenOptions, show: (arrived: Arrived) => void): Promise<void> {
  const seen = new Set<string>();
  const server = createServer((request, response) => {
    void read(request).then((text) => {
      if (text === undefined) {
        response.writeHead(413).end();
        return;
      }
      const arrived = judge(request, text, options.secret, seen);
      show(arrived);
      const refused = arrived.signature !== 'good' && options.secret !== undefined;
      response.writeHead(refused ? 401 : options.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ code: refused ? 'BAD_SIGNATURE' : 'SUCCESS', message: '', data: {} }));
    });
  });
  const interruption = context.interruption();
  await new Promise<void>((ready, failed) => {
    server.once('error', (error) => failed(new UsageError(`--port: ${error.message}`)));
    server.listen(options.port, options.host, ready);
  });
  const { port } = server.address() as AddressInfo;
  context.terminal.err(paint(context.terminal, 'dim', `ready: http://${options.host}:${port}`));
  await new Promise<void>((resolve) => {
    if (interruption.aborted) return resolve();
    interruption.addEventListener('abort', () => resolve(), { once: true });
  });
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
}

/** Undefined: it is too large. What breaks off in the middle is nothing. */
async function read(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Uint8Array>) {
      size += chunk.byteLength;
      if (size > MOST_BYTES) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return '';
  }
  return Buffer.concat(chunks).toString();
}

function judge({ headers }: IncomingMessage, text: string, secret: string | undefined, seen: Set<string>): Arrived {
  const id = String(headers['webhook-id'] ?? '');
  const repeat = seen.has(id);
  seen.add(id);
  const signature = secret === undefined ? 'not verified' : (webhookProblem(headers, text, secret, Date.now()) ?? 'good');
  return { id, signature, repeat, body: parse(text) };
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}

export function listenLine(terminal: Terminal, { id, signature, repeat, body }: Arrived): string {
  const told = isJsonObject(body) ? body : {};
  const { sequence = '', notificationType = '', transactionId = '', missing, payLoad = body } = told;
  const lost = missing === undefined ? '' : `  missing ${JSON.stringify(missing)}`;
  const colour = signature === 'good' ? 'green' : signature === 'not verified' ? 'dim' : 'red';
  const head = `${printable(id)}  ${sequence}  ${printable(String(notificationType))}  ${printable(String(transactionId))}`;
  return `${head}  ${paint(terminal, colour, signature)}${repeat ? '  a repeat' : ''}${lost}  ${printable(JSON.stringify(payLoad))}`;
}
