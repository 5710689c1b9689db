/** A gateway for a test's own routes, and tokens of users. */
import { SignJWT } from 'jose';
import { type Gateway, type GatewayOptions, serveGateway } from '../../pkg/http/gateway.ts';
import type { GatewayRoute } from '../../pkg/http/route.ts';
import { RecordingLog, RecordingMeter } from './recorders.ts';

export const JWT_SECRET = 'a secret that only the tests know, of more than 32 bytes';
export const CUSTOMER = '5e4a0680-804e-11ec-8477-2fea5968d85b';

export interface TestGateway {
  readonly url: string;
  readonly port: number;
  readonly meter: RecordingMeter;
  readonly log: RecordingLog;
  close(): Promise<void>;
}

export async function startGateway(routes: readonly GatewayRoute[], more: Partial<GatewayOptions> = {}): Promise<TestGateway> {
  const [meter, log] = [new RecordingMeter(), new RecordingLog()];
  const gateway: Gateway = await serveGateway(
    { host: '127.0.0.1', port: 0 },
    {
      routes,
      jwt: { secret: JWT_SECRET, jwks_url: '', issuer: '', audience: '' },
      public_url: '',
      cors_origins: '',
      trust_proxy: '',
      message_bytes: 10_000,
      capacity: 100,
      meter,
      log,
      ...more,
    },
  );
  const { port } = gateway.address;
  return { url: `http://127.0.0.1:${port}`, port, meter, log, close: () => gateway.close() };
}

/** A token as whoever issues them makes it; `claims` replaces its own ones, undefined leaves one out. */
export async function token(claims: Readonly<Record<string, unknown>> = {}, secret = JWT_SECRET, alg = 'HS256'): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const payload = JSON.parse(JSON.stringify({ org: CUSTOMER, sub: 'anna', exp, ...claims }));
  return await new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret));
}
