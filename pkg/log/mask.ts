import { maskCallbacks } from '../model/callback.ts';

/** What a password or a token is replaced by. */
const MASK = '***';

/** `amqp://user:password@host`, `mysql://…`: what stands between the first colon and the last @ before the path. */
const IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/[^\s/?#:@]*):[^\s/?#]*@/gi;
/** `user:password@tcp(host)/db`: Go's form of a database's address. A password may hold a @ and a slash. */
const IN_DSN = /(^|[\s"'=])([^\s"'=:/@]+):\S*@(?=(?:tcp|tcp6|unix)\()/gi;
/** `?access_token=…`, `password=…`: in a query, in a header, in a text that repeats one. */
const IN_QUERY =
  /((?:access_token|callback_secret|subscription_secret_key|password|passwd|secret|token|api_?key|signature)=)[^\s&"',;#]+/gi;
const BEARER = /\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi;

/** A text with the tokens of callbacks, the passwords of URLs and DSNs, tokens in queries and authorization headers replaced by `***`. */
export function maskSecrets(text: string): string {
  // Most lines hold none of this, and lines are many: look before replacing.
  if (!/[@=]|bearer|basic|callback|cbsec_/i.test(text)) return text;
  return maskCallbacks(text)
    .replace(IN_DSN, `$1$2:${MASK}@`)
    .replace(IN_URL, `$1:${MASK}@`)
    .replace(IN_QUERY, `$1${MASK}`)
    .replace(BEARER, `$1 ${MASK}`);
}

const SECRET_KEY = /password|passwd|secret|token|authorization|cookie|access_key|private_key|api_?key/i;
const DEPTH = 4;

/**
 * Fields as they may be logged: what is called a secret is replaced, texts are masked, and variables (what callers
 * said and customers stored) are told by name only, unless `values` is set. Errors are left to the serializer.
 */
export function maskFields(fields: object, values: boolean, depth = DEPTH): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, maskField(key, value, values, depth)]));
}

function maskField(key: string, value: unknown, values: boolean, depth: number): unknown {
  if (value === undefined || value === null) return value;
  if (SECRET_KEY.test(key)) return MASK;
  if (typeof value === 'string') return maskSecrets(value);
  if (typeof value !== 'object' || value instanceof Error) return value;
  if (key === 'variables' && !values) return Object.keys(value);
  if (depth === 0) return '[…]';
  if (Array.isArray(value)) return value.map((item: unknown) => maskField('', item, values, depth - 1));
  return value instanceof Date ? value : maskFields(value, values, depth - 1);
}
