import { type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { type Connection, createConnection, type ResultSetHeader } from 'mysql2';
import { publish, publishConfirmed, writeFramesAtOnce } from '../../../pkg/bus/amqp/frame-writer.ts';
import { joinWrites, socketOf } from '../../../pkg/bus/amqp/socket.ts';
import { parseDsn } from '../../../pkg/store/dsn.ts';
import type { FloorCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/**
 * The floor under a durable `next`: a request, one conditional UPDATE that it shares with those beside it, the answer,
 * the acknowledgement, an event and a webhook that the broker confirms; rows and messages as long as the daemon's. It
 * decides nothing, checks nothing, repeats nothing: what a daemon can reach at most with these libraries and servers, and with
 * the daemon's own way of writing messages.
 */
const ROWS = 1_000;
const BATCH = 64;
const LANES = 2;
const PREFETCH = 200;
const STATE = 's'.repeat(1_100);
const OUTBOX = 'o'.repeat(1_300);
const ANSWER = Buffer.from(JSON.stringify({ status_code: 200, data_type: 'application/json', data: { text: 'a'.repeat(250) } }));
const EVENT = Buffer.from(JSON.stringify({ type: 'activeflow_updated', data: 'e'.repeat(900) }));

interface Waiting {
  readonly row: number;
  readonly answer: () => void;
}

function idOf(row: number): string {
  return `019aa5c1-0000-7000-8000-${String(row % ROWS).padStart(12, '0')}`;
}

function run(connection: Connection, sql: string, values: (string | number)[]): Promise<ResultSetHeader> {
  return new Promise((resolve, reject) => {
    connection.execute<ResultSetHeader>(sql, values, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

async function openDatabase(dsn: string): Promise<Connection> {
  const { user, password, host, port, database } = parseDsn(dsn);
  const connection = createConnection({ user, password, database, host: host ?? '127.0.0.1', port: port ?? 3306 });
  await run(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', []);
  return connection;
}

async function makeRows(connection: Connection): Promise<void> {
  await run(
    connection,
    `CREATE OR REPLACE TABLE bench_floor (id CHAR(36) CHARACTER SET ascii PRIMARY KEY, revision INT UNSIGNED NOT NULL,
      state MEDIUMTEXT NOT NULL, outbox MEDIUMTEXT NOT NULL)`,
    [],
  );
  for (let row = 0; row < ROWS; row++)
    await run(connection, 'INSERT INTO bench_floor VALUES (?, 0, ?, ?)', [idOf(row), STATE, OUTBOX]);
}

class GroupedUpdates {
  readonly #lanes: Connection[];
  #waiting: Waiting[] = [];

  constructor(lanes: Connection[]) {
    this.#lanes = lanes;
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting);
    if (this.#waiting.length === 1) queueMicrotask(() => this.#pump());
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      const lane = this.#lanes.pop();
      if (!lane) return;
      void this.#write(lane, this.#waiting.splice(0, BATCH));
    }
  }

  async #write(lane: Connection, batch: readonly Waiting[]): Promise<void> {
    const ids = batch.map(({ row }) => idOf(row)).sort();
    // A few widths only: each is prepared once.
    while (ids.length > 1 && (ids.length & (ids.length - 1)) !== 0) ids.push('');
    // As the daemon does (pkg/store/commit-sql.ts): each row takes the values at its position.
    const values = ids.map(() => '?').join();
    const sql = `UPDATE bench_floor FORCE INDEX (PRIMARY) SET revision = revision + 1,
      state = ELT(FIELD(id, ${values}), ${values}), outbox = ELT(FIELD(id, ${values}), ${values}) WHERE id IN (${values})`;
    const states = ids.map(() => STATE);
    await run(lane, sql, [...ids, ...states, ...ids, ...ids.map(() => OUTBOX), ...ids]);
    this.#lanes.push(lane);
    for (const { answer } of batch) answer();
    this.#pump();
  }
}

/** Published when the answers are out, as the daemon does. */
class Events {
  readonly #channel: ConfirmChannel;
  readonly #exchange: string;
  readonly #webhooks: string;
  #due = 0;

  constructor(channel: ConfirmChannel, exchange: string, webhooks: string) {
    this.#channel = channel;
    this.#exchange = exchange;
    this.#webhooks = webhooks;
  }

  add(): void {
    this.#due += 1;
    if (this.#due === 1) setImmediate(() => setImmediate(() => this.#publish()));
  }

  #publish(): void {
    for (; this.#due > 0; this.#due -= 1) {
      this.#send(this.#exchange, 'activeflow_updated');
      this.#send('', this.#webhooks);
    }
  }

  #send(exchange: string, routing_key: string): void {
    const options = { persistent: true, contentType: 'application/json' };
    publishConfirmed(this.#channel, { exchange, routing_key, body: EVENT, options }, (error) => {
      if (error) throw error;
    });
  }
}

async function serveFloor({ url, dsn, queue, silent, exchange, webhooks }: FloorCommands['serve']['in']): Promise<null> {
  const lanes = await Promise.all(Array.from({ length: LANES }, () => openDatabase(dsn)));
  const [first] = lanes;
  if (first) await makeRows(first);
  const updates = new GroupedUpdates(lanes);
  const open = async (name: string) => {
    const model = await connect(url, { noDelay: true, clientProperties: { connection_name: `bench floor ${name}` } });
    const socket = socketOf(model);
    if (socket) joinWrites(socket);
    writeFramesAtOnce(model);
    return model;
  };
  const events = new Events(await (await open('publish')).createConfirmChannel(), exchange, webhooks);
  const channel = await (await open('serve')).createChannel();
  await channel.prefetch(PREFETCH);
  let row = 0;
  const take = async (from: string, publishes: boolean): Promise<void> => {
    const answer = (message: ConsumeMessage): void => {
      const { replyTo, correlationId } = message.properties;
      publish(channel, {
        exchange: '',
        routing_key: replyTo,
        body: ANSWER,
        options: { correlationId, contentType: 'application/json' },
      });
      channel.ack(message);
      if (publishes) events.add();
    };
    await channel.assertQueue(from, { durable: true });
    await channel.consume(from, (message) => {
      if (!message) return;
      JSON.parse(message.content.toString());
      updates.push({ row: row++, answer: () => answer(message) });
    });
  };
  await take(queue, true);
  await take(silent, false);
  return null;
}

serve<FloorCommands>({ serve: serveFloor });
