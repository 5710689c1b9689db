import { connect } from 'amqplib';
import type { EchoCommands } from '../protocol.ts';
import { serve } from './serve.ts';

/** The ceiling: a server that answers each request with the same text, about as long as an answer to `next`. */
const ANSWER = Buffer.from(
  JSON.stringify({
    status_code: 200,
    data_type: 'application/json',
    data: {
      id: '019aa5c1-7e1b-7a4e-8f2b-000000000002',
      next_id: '00000000-0000-0000-0000-000000000000',
      type: 'talk',
      option: { text: 'Thank you for calling, +15550100. This is announcement 17.', language: 'en-US' },
      tm_execute: null,
    },
  }),
);
const PREFETCH = 200;

serve<EchoCommands>({
  serve: async ({ url, queue }) => {
    const model = await connect(url, { noDelay: true, clientProperties: { connection_name: 'bench echo' } });
    const channel = await model.createChannel();
    await channel.assertQueue(queue, { durable: true });
    await channel.prefetch(PREFETCH);
    await channel.consume(queue, (message) => {
      if (!message) return;
      const { replyTo, correlationId } = message.properties;
      channel.sendToQueue(replyTo, ANSWER, { correlationId, contentType: 'application/json' });
      channel.ack(message);
    });
    const { serverProperties } = model.connection;
    return { broker: String(serverProperties.version) };
  },
});
