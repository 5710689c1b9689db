import { Agent, request } from 'undici';
import type { PostCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/** The ceiling of deliveries: posts with nothing around them. */
serve<PostCommands>({
  post: async ({ url, requests, connections, body }) => {
    const dispatcher = new Agent({ connections });
    const headers = { 'content-type': 'application/json;charset=UTF-8' };
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
