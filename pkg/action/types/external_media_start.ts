import { Type } from 'typebox';
import { defineAction } from '../definition.ts';
import { field } from '../schema.ts';

export const externalMediaStartAction = defineAction({
  type: 'external_media_start',
  medium: 'rtc',
  by: 'caller',
  option: Type.Object({
    external_host: field.text('Address of the host, with its port.'),
    encapsulation: field.text('How media are wrapped, for example rtp.'),
    transport: field.text('udp, tcp or websocket.'),
    transport_data: field.text('What the transport needs besides.'),
    connection_type: field.text('client or server.'),
    format: field.text('Audio format, for example ulaw.'),
    direction_listen: field.text('Which side of the call is sent: in, out or both.'),
    direction_speak: field.text('Which side of the call hears what comes back: in, out or both.'),
    data: field.text('Passed on to the host.'),
  }),
  doc: 'Sends the media of the call to another host, or takes it from there.',
});
