import { randomUUID } from 'node:crypto';
import { Agent, request } from 'undici';
import type { PostCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/** The ceiling of deliveries: posts with nothing around them. */
serve<PostCommands>({
  post: async ({ url, requests, connections, body }) => {
    const dispatcher = new Agent({ connections });
    // As long as those of a notification.
    const headers = {
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': 'flow-manager',
      'content-type': 'application/json;charset=UTF-8',
      'webhook-id': randomUUID(),
      'webhook-timestamp': String(Math.floor(Date.now() / 1_000)),
    };
    let left = requests;
    const one = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        const answer = await request(url, { dispatcher, method: 'POST', headers, body });
        await answer.body.dump();
      }
    };
    await Promise.all(Array.from({ length: connections }, one));
    await dispatcher.close();
    return null;
  },
});
