/**
 * Plays the sample against a daemon: `npx tsx scripts/sample/async-identification/run.ts [case] [url of the daemon]`.
 * The daemon must take envelopes over HTTP (`--embedded`) and reach this machine (`--http_allow_private 127.0.0.1`).
 */
import { CASES, startDatabases } from './databases.ts';
import { play } from './play.ts';

const [given = '', daemon = 'http://127.0.0.1:8080'] = process.argv.slice(2);

for (const name of CASES.filter((known) => given === '' || known === given)) {
  const databases = await startDatabases(name);
  try {
    const { heard, atHangup, atEnd } = await play(ask, name, databases);
    console.log(`${name}\n${heard.map((text) => `  “${text}”`).join('\n')}`);
    console.log(`  the job: ${atHangup.status} at the end of the call, then ${atEnd.status} ${JSON.stringify(atEnd.result)}`);
  } finally {
    await databases.close();
  }
}

async function ask(method: string, uri: string, data: object = {}): Promise<unknown> {
  const body = JSON.stringify({ method, uri, data, data_type: 'application/json' });
  const answer = (await (await fetch(`${daemon}/rpc`, { method: 'POST', body })).json()) as {
    status_code: number;
    data?: unknown;
  };
  if (answer.status_code !== 200) throw new Error(`${method} ${uri}: ${JSON.stringify(answer)}`);
  return answer.data;
}
