/**
 * scripts/services: private RabbitMQ, MariaDB and Redis for tests. Each server has a folder with its data, its log
 * (server.log) and server.json: its ports, and the process that runs it. Starting what runs, or stopping what does
 * not, changes nothing. Data stays from stop to start; remove the folder to be rid of it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { installMissing } from './install.mjs';
import { freePort } from './port.mjs';
import { alive, end, launch, run, self, signal } from './process.mjs';
import { rabbitmqEnv, SERVERS } from './servers.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const folder = resolve(process.env.FLOW_SERVICES_DIR ?? join(root, '.services'));
const FIXED_PORTS = { rabbitmq: 'FLOW_SERVICES_AMQP_PORT', mariadb: 'FLOW_SERVICES_DB_PORT', redis: 'FLOW_SERVICES_REDIS_PORT' };
const SIGNALS = { kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' };

const USAGE = `usage: scripts/services start [rabbitmq] [mariadb] [redis]    none named: all three
       scripts/services stop [rabbitmq] [mariadb] [redis]
       scripts/services kill|pause|resume rabbitmq|mariadb|redis   SIGKILL, SIGSTOP, SIGCONT
       scripts/services status
       scripts/services env                          eval "$(scripts/services env)"
       scripts/services rabbitmqctl <arguments>
folder: FLOW_SERVICES_DIR (default .services in the repository)
ports:  chosen at the first start and kept, or ${Object.values(FIXED_PORTS).join(', ')}`;

const dirOf = (name) => join(folder, name);

function recordOf(name) {
  const file = join(dirOf(name), 'server.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
}

function writeRecord(name, record) {
  const file = join(dirOf(name), 'server.json');
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(`${file}.new`, file); // whole or not at all: `stop` must be able to read it whenever it comes
}

async function ports(name, record) {
  const fixed = process.env[FIXED_PORTS[name]];
  const port = fixed !== undefined ? Number(fixed) : await freePort(record.port);
  if (name !== 'rabbitmq') return { port };
  return { port, dist_port: await freePort(record.dist_port), epmd_port: await freePort(record.epmd_port) };
}

async function start(name) {
  const before = recordOf(name);
  if (alive(before.process)) return;
  await end(before.helper, 1000); // what a killed server left behind
  const server = SERVERS[name];
  const dir = dirOf(name);
  mkdirSync(dir, { recursive: true });
  const record = await ports(name, before);
  const context = { dir, record, programs: server.programs() };
  await server.prepare(context);
  const log = join(dir, 'server.log');
  if (server.helper !== undefined) {
    const helper = server.helper(context);
    record.helper = await launch(helper.command, helper.args, { cwd: dir, env: { PATH: process.env.PATH }, log });
    writeRecord(name, record);
    await untilReady(`the helper of ${name}`, record.helper, helper.ready, 10_000, log);
  }
  const { command, args, env } = server.command(context);
  record.process = await launch(command, args, { cwd: dir, env: env ?? process.env, log });
  writeRecord(name, record);
  await untilReady(name, record.process, () => server.ready(context), server.ready_ms, log);
}

async function untilReady(name, started, probe, patience_ms, log) {
  const deadline = Date.now() + patience_ms;
  for (;;) {
    const problem = await probe().then(
      () => undefined,
      (error) => error,
    );
    if (problem === undefined) return;
    const tail = () => readFileSync(log, 'utf8').trim().split('\n').slice(-15).join('\n');
    if (!alive(started)) throw new Error(`${name} ended while it was starting; ${log} ends with:\n${tail()}`);
    if (Date.now() > deadline) throw new Error(`${name} is not ready (${problem.message}); ${log} ends with:\n${tail()}`);
    await sleep(50);
  }
}

async function stop(name) {
  const record = recordOf(name);
  await end(record.process, SERVERS[name].stop_ms);
  await end(record.helper, 2000);
}

/** A killed server is waited for, so that a start that follows does not take it for a running one. */
async function send(name, signalName) {
  const { process: known } = recordOf(name);
  signal(known, signalName);
  while (signalName === 'SIGKILL' && alive(known)) await sleep(10);
}

/** `start` and `stop` of one folder take turns: two at once would start a server twice. */
async function exclusively(work) {
  mkdirSync(folder, { recursive: true });
  const lock = join(folder, 'lock');
  while (!takeLock(lock)) await sleep(100);
  try {
    return await work();
  } finally {
    rmSync(lock, { force: true });
  }
}

function takeLock(lock) {
  try {
    writeFileSync(lock, JSON.stringify(self), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    // A holder that was killed is a zombie until its parent has looked, and that may be who waits for this lock.
    const holder = readHolder(lock);
    if (holder !== undefined && !alive(holder)) rmSync(lock, { force: true });
    return false;
  }
}

/** undefined: it is just being written, or given back. */
function readHolder(lock) {
  try {
    return JSON.parse(readFileSync(lock, 'utf8'));
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function status() {
  for (const name of Object.keys(SERVERS)) {
    const { process: known, port } = recordOf(name);
    console.log(alive(known) ? `${name}: running, pid ${known.pid}, port ${port}` : `${name}: stopped`);
  }
}

function env() {
  const { rabbitmq, mariadb, redis } = Object.fromEntries(Object.keys(SERVERS).map((name) => [name, recordOf(name)]));
  const lines = [];
  if (alive(rabbitmq.process)) lines.push(`FLOW_TEST_AMQP=amqp://guest:guest@127.0.0.1:${rabbitmq.port}`);
  if (alive(mariadb.process)) lines.push(`FLOW_TEST_DSN='flow:flow@tcp(127.0.0.1:${mariadb.port})/flow'`);
  if (alive(redis.process)) lines.push(`FLOW_TEST_REDIS=127.0.0.1:${redis.port}`);
  if (lines.length > 0) console.log(`export ${lines.join(' ')}`);
}

function named(names) {
  const unknown = names.find((name) => !(name in SERVERS));
  if (unknown !== undefined) throw new Error(`no server named ${unknown}\n${USAGE}`);
  return names.length > 0 ? names : Object.keys(SERVERS);
}

/** All at once; the first failure is told after all have come to an end. */
async function each(names, work) {
  const results = await Promise.allSettled(names.map(work));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function main([verb, ...rest]) {
  if (verb === 'start') {
    const names = named(rest);
    await installMissing(names);
    await exclusively(() => each(names, start));
    status();
  } else if (verb === 'stop') await exclusively(() => each(named(rest), stop));
  else if (verb in SIGNALS && rest.length > 0) await each(named(rest), (name) => send(name, SIGNALS[verb]));
  else if (verb === 'status') status();
  else if (verb === 'env') env();
  else if (verb === 'rabbitmqctl') await rabbitmqctl(rest);
  else throw new Error(USAGE);
}

async function rabbitmqctl(args) {
  const { ctl } = SERVERS.rabbitmq.programs();
  await run(ctl, args, { env: rabbitmqEnv(dirOf('rabbitmq'), recordOf('rabbitmq')), stdio: 'inherit' });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
