import { type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib';
import { type Connection, createConnection, type ResultSetHeader, type RowDataPacket } from 'mysql2';
import { publish, publishConfirmed, writeFramesAtOnce } from '../../../pkg/bus/amqp/frame-writer.ts';
import { joinWrites, socketOf } from '../../../pkg/bus/amqp/socket.ts';
import { parseDsn } from '../../../pkg/store/dsn.ts';
import { GroupRead } from '../../../pkg/store/group-read.ts';
import type { FloorCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/**
 * The floor under a durable `next`: a request, one conditional UPDATE that it shares with those beside it, the answer,
 * the acknowledgement, an event and a webhook that the broker confirms; rows and messages as long as the daemon's. It
 * decides nothing, checks nothing, repeats nothing: what a daemon can reach at most with these libraries and servers, and with
 * the daemon's own way of writing messages.
 */
const ROWS = 1_000;
/** No two that come one after another are neighbours in the table. */
const STRIDE = 48_271;
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

interface Row extends RowDataPacket {
  readonly id: string;
}

interface Table {
  readonly name: string;
  readonly rows: number;
}

const FIRST_ID = '019aa5c1-0000-7000-8000-';

function idOf(row: number, { rows }: Table): string {
  return FIRST_ID + String((row * STRIDE) % rows).padStart(12, '0');
}

function run(connection: Connection, sql: string, values: (string | number)[]): Promise<ResultSetHeader> {
  return new Promise((resolve, reject) => {
    connection.execute<ResultSetHeader>(sql, values, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function read(connection: Connection, sql: string, values: string[]): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    connection.query<Row[]>(sql, values, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}

async function openDatabase(dsn: string): Promise<Connection> {
  const { user, password, host, port, database } = parseDsn(dsn);
  const connection = createConnection({ user, password, database, host: host ?? '127.0.0.1', port: port ?? 3306 });
  await run(connection, 'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', []);
  return connection;
}

async function makeRows(connection: Connection, { name, rows }: Table): Promise<void> {
  await run(
    connection,
    `CREATE OR REPLACE TABLE ${name} (id CHAR(36) CHARACTER SET ascii PRIMARY KEY, revision INT UNSIGNED NOT NULL,
      state MEDIUMTEXT NOT NULL, outbox MEDIUMTEXT NOT NULL)`,
    [],
  );
  await run(connection, `INSERT INTO ${name} SELECT CONCAT(?, LPAD(s.seq, 12, '0')), 0, ?, ? FROM seq_0_to_${rows - 1} s`, [
    FIRST_ID,
    STATE,
    OUTBOX,
  ]);
}

/** Reads that share statements, two at a time, as the daemon's do. */
function readsOf(lanes: readonly Connection[], { name }: Table): GroupRead<Row> {
  let turn = 0;
  return new GroupRead((ids) => {
    const lane = lanes[turn++ % LANES];
    if (!lane) throw new Error('there is no connection');
    return read(lane, `SELECT id, revision, state, outbox FROM ${name} WHERE id IN (${ids.map(() => '?')})`, [...ids]);
  });
}

class GroupedUpdates {
  readonly #lanes: Connection[];
  readonly #table: Table;
  #waiting: Waiting[] = [];

  constructor(lanes: Connection[], table: Table) {
    this.#lanes = lanes;
    this.#table = table;
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
    const ids = batch.map(({ row }) => idOf(row, this.#table)).sort();
    // A few widths only: each is prepared once.
    while (ids.length > 1 && (ids.length & (ids.length - 1)) !== 0) ids.push('');
    // As the daemon does (pkg/store/commit-sql.ts): each row takes the values at its position.
    const values = ids.map(() => '?').join();
    const sql = `UPDATE ${this.#table.name} FORCE INDEX (PRIMARY) SET revision = revision + 1,
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

/** Answers a request, and publishes what it has caused or not. */
type Serve = (queue: string, publishes: boolean, work: (answer: () => void) => void) => Promise<void>;
let serving: { readonly dsn: string; readonly take: Serve } | undefined;

function open(dsn: string): Promise<Connection[]> {
  return Promise.all(Array.from({ length: LANES }, () => openDatabase(dsn)));
}

async function updatesOf(dsn: string, table: Table): Promise<GroupedUpdates> {
  const lanes = await open(dsn);
  const [first] = lanes;
  if (first) await makeRows(first, table);
  return new GroupedUpdates(lanes, table);
}

async function serveFloor({ url, dsn, queue, silent, exchange, webhooks }: FloorCommands['serve']['in']): Promise<null> {
  const updates = await updatesOf(dsn, { name: 'bench_floor', rows: ROWS });
  const to = async (name: string) => {
    const model = await connect(url, { noDelay: true, clientProperties: { connection_name: `bench floor ${name}` } });
    const socket = socketOf(model);
    if (socket) joinWrites(socket);
    writeFramesAtOnce(model);
    return model;
  };
  const events = new Events(await (await to('publish')).createConfirmChannel(), exchange, webhooks);
  const channel = await (await to('serve')).createChannel();
  await channel.prefetch(PREFETCH);
  const take: Serve = async (from, publishes, work) => {
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
      work(() => answer(message));
    });
  };
  serving = { dsn, take };
  let row = 0;
  const update = (answer: () => void): void => updates.push({ row: row++, answer });
  await take(queue, true, update);
  await take(silent, false, update);
  return null;
}

/** Every request is for another of so many rows, which is read before it is changed. */
async function serveSpread({ queue, rows }: FloorCommands['spread']['in']): Promise<null> {
  if (!serving) throw new Error('the floor is not served yet');
  const { dsn, take } = serving;
  const table = { name: 'bench_floor_spread', rows };
  const updates = await updatesOf(dsn, table);
  const reads = readsOf(await open(dsn), table);
  let next = 0;
  await take(queue, true, (answer) => {
    const row = next++;
    void reads.get(idOf(row, table)).then(() => updates.push({ row, answer }));
  });
  return null;
}

serve<FloorCommands>({ serve: serveFloor, spread: serveSpread });
