/**
 * A system with long running jobs: takes `{run, callback_url}`, answers 202 at once, and calls back when it is done.
 * It repeats what is not answered; the same Idempotency-Key tells that it is the same call.
 */
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , port = '0', job_ms = '1000'] = process.argv;

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { run, callback_url } = JSON.parse(Buffer.concat(chunks).toString());
  response.writeHead(202).end();
  console.log(`a job for ${run}: it takes ${job_ms} ms`);
  await sleep(Number(job_ms));
  const body = JSON.stringify({ status: 'done', result: { rows: 42 } });
  const headers = { 'content-type': 'application/json', 'idempotency-key': run };
  for (let attempt = 1; attempt <= 5; attempt += 1) {
    const answer = await fetch(callback_url, { method: 'POST', headers, body }).catch(() => undefined);
    if (answer) console.log(`called back: ${answer.status} ${await answer.text()}`);
    // Anything but these will not become better.
    if (answer && answer.status < 500 && answer.status !== 429) return;
    await sleep(200 * 2 ** attempt);
  }
});

server.listen(Number(port), '127.0.0.1', () => console.log(`ready on port ${server.address().port}`));
