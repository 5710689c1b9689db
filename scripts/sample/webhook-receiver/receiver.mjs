/**
 * A receiver of notifications as it should be: verify, put on a queue, answer at once; the work is done behind it.
 *
 *   SECRET=whsec_… node scripts/sample/webhook-receiver/receiver.mjs [port] [folder]
 *
 * The queue is a folder here, a file for each notification under its webhook-id: one that comes twice is one file, and
 * none is lost when this process ends. Yours may be Kafka, RabbitMQ or a table with the id as its key.
 */
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { Webhook } from 'standardwebhooks';

const [port = '8090', folder = 'webhook-queue'] = process.argv.slice(2);
const { SECRET } = process.env;
if (!SECRET) {
  console.error('SECRET: expected the whsec_… that the subscription was made with');
  process.exit(2);
}
const webhook = new Webhook(SECRET);
const [waiting, done] = [join(folder, 'waiting'), join(folder, 'done')];
await mkdir(waiting, { recursive: true });
await mkdir(done, { recursive: true });

const server = createServer(async (request, response) => {
  try {
    const body = await read(request);
    const code = await take(request.headers, body);
    response.writeHead(code, { 'content-type': 'application/json' }).end('{"code":"SUCCESS","message":"","data":{}}');
  } catch (error) {
    // It could not be put on the queue: anything from 500 on, and it comes again.
    console.error(error);
    response.writeHead(503).end();
  }
});

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

async function take(headers, body) {
  try {
    webhook.verify(body, headers); // the very bytes: JSON that was parsed and written again has another signature
  } catch {
    return 401;
  }
  const id = headers['webhook-id'];
  if (!/^[0-9a-f-]{36}$/.test(id)) return 400;
  if (await there(join(done, id))) return 200; // it was worked on already
  const file = join(waiting, id);
  await writeFile(`${file}.part`, body, { flush: true });
  await rename(`${file}.part`, file);
  return 200;
}

async function there(path) {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

/** Works on what waits. A notification that was worked on and not yet marked is worked on again: it must bear that. */
async function work() {
  for (const id of await readdir(waiting)) {
    if (id.endsWith('.part')) continue;
    const { sequence, notificationType, transactionId, payLoad, missing } = JSON.parse(await readFile(join(waiting, id), 'utf8'));
    console.log(id, sequence, notificationType, transactionId, JSON.stringify(payLoad));
    if (missing) console.log(`  lost before it: ${missing.join(', ')}; ask for a replay`);
    await writeFile(join(done, id), '');
    await rm(join(waiting, id));
  }
  setTimeout(work, 100);
}

server.listen(Number(port), '127.0.0.1', () => console.log(`receiver ready: http://127.0.0.1:${server.address().port}`));
await work();
