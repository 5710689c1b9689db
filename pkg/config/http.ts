import { wrong } from './flags.ts';

/** What the gateway is given by flags. */
export interface HttpSettings {
  /** Such as `:8080`. */
  readonly address: string;
  /** Without a slash at its end. */
  readonly public_url: string;
  readonly cors_origins: string;
  readonly trust_proxy: string;
  readonly jwt: {
    readonly secret: string;
    readonly jwks_url: string;
    readonly issuer: string;
    readonly audience: string;
  };
}

/** Undefined without an address: no gateway is served. Throws FlowError INVALID_ARGUMENT that names the flag. */
export function httpSettings(address: unknown, text: (name: string) => string): HttpSettings | undefined {
  checkUrl('http_public_url', text('http_public_url'));
  checkUrl('http_jwks_url', text('http_jwks_url'));
  if (typeof address !== 'string') return undefined;
  const own = `http://${address.replace(/^:/, '127.0.0.1:')}`;
  return {
    address,
    public_url: (text('http_public_url') || own).replace(/\/+$/, ''),
    cors_origins: text('http_cors_origins'),
    trust_proxy: text('http_trust_proxy'),
    jwt: {
      secret: text('http_jwt_secret'),
      jwks_url: text('http_jwks_url'),
      issuer: text('http_jwt_issuer'),
      audience: text('http_jwt_audience'),
    },
  };
}

function checkUrl(name: string, value: string): void {
  if (value === '') return;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const web = url?.protocol === 'http:' || url?.protocol === 'https:';
  if (!url || !web || url.hash !== '' || url.username !== '') throw wrong({ name }, 'an http:// or https:// address');
}
