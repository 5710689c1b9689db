/** `flow-control subscription listen`: what a person sees of what arrives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { newSecret, webhookHeaders } from '../../pkg/service/subscription/signature.ts';
import { bundledProgram } from '../support/bundled.ts';
import { eachStage } from '../support/stage.ts';

/** The command, as a process of its own. */
class Listener {
  readonly #child: ChildProcess;
  /** What it said on either stream, in order. */
  readonly lines: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(...options: string[]) {
    const args = [bundledProgram('cmd/flow-control.ts'), 'subscription', 'listen', '--port', '0', ...options];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, NO_COLOR: '1' } });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) throw new Error('it has no streams');
      createInterface(stream).on('line', (line) => {
        this.lines.push(line);
        this.#look();
      });
    }
    this.#child.once('exit', () => this.#look());
  }

  /** The first line that fits. Throws when it ends without one. */
  async line(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.lines.find((line) => pattern.test(line));
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null) throw new Error(`it ended (${this.#child.exitCode}): ${this.lines.join('\n')}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #look(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async url(): Promise<string> {
    return (await this.line(/^ready: /)).slice('ready: '.length);
  }

  /** Ctrl-C; its exit code. */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode === null) {
      const exited = once(this.#child, 'exit');
      this.#child.kill('SIGINT');
      await exited;
    }
    return this.#child.exitCode;
  }
}

eachStage(
  'subscription listen',
  (get) => {
    const secret = newSecret();
    let listener: Listener;
    let url: string;

    beforeEach(async function () {
      this.timeout(30_000);
      listener = new Listener('--secret', secret);
      url = await listener.url();
    });
    afterEach(() => listener.interrupt());

    it('shows what arrives, verified, and ends with Ctrl-C', async () => {
      const { caller } = get();
      const [customer_id, reference_id] = [randomUUID(), randomUUID()];
      await caller.ok('POST', '/v1/subscriptions', { customer_id, callback_url: url, secrets: [secret] });
      const { id } = await caller.ok<{ id: string }>('POST', '/v1/activeflows', {
        customer_id,
        reference_type: 'call',
        reference_id,
      });
      const line = await listener.line(/TRANSACTION_EVENT/);
      expect(line).to.match(/^[0-9a-f-]{36} {2}1 {2}TRANSACTION_EVENT /);
      expect(line).to.include(`  ${id}  good  {"status":"CREATED"`);
      expect(await listener.interrupt()).to.equal(0);
    });

    it('shows what is forged, old or changed as such, and refuses it', async () => {
      const body = JSON.stringify({ sequence: 1, notificationType: 'TRANSACTION_EVENT', transactionId: 'forged' });
      const now = Math.floor(Date.now() / 1_000);
      const send = async (id: string, headers: Record<string, string>, text = body): Promise<number> => {
        const answer = await fetch(url, { method: 'POST', body: text, headers: { ...headers, 'webhook-id': id } });
        return answer.status;
      };
      expect(await send('by-another', webhookHeaders('by-another', now, body, [newSecret()]))).to.equal(401);
      expect(await send('old', webhookHeaders('old', now - 3_600, body, [secret]))).to.equal(401);
      expect(await send('changed', webhookHeaders('changed', now, body, [secret]), body.replace('forged', 'other'))).to.equal(
        401,
      );
      expect(await send('bare', {})).to.equal(401);
      expect(await send('right', webhookHeaders('right', now, body, [secret]))).to.equal(200);
      expect(await listener.line(/^by-another/)).to.include('no signature fits the secret');
      expect(await listener.line(/^old/)).to.include('is not of the last 5 minutes');
      expect(await listener.line(/^changed/)).to.include('no signature fits the secret');
      expect(await listener.line(/^bare/)).to.include('is missing');
      expect(await listener.line(/^right/)).to.include('  good  ');
    });
  },
  { http_allow_private: '127.0.0.1' },
);
