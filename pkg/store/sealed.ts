import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { unavailable } from '../error/index.ts';

interface Key {
  /** Stands before what is sealed with it; says nothing of the key. */
  readonly id: string;
  readonly bytes: Buffer;
}

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const SEALED = /^sealed:([0-9a-f]{8}):([A-Za-z0-9_-]+)$/;

/**
 * Texts that are not to be read by who has the database alone: `sealed:<key>:<iv, tag and text>`, AES-256-GCM, bound to the
 * row that they are of. What is not sealed is read as it is, so that a key may be given later; without one nothing is sealed.
 */
export class Sealed {
  readonly #keys: readonly Key[];

  /** The first one seals, all of them open: the former ones are given for as long as something is sealed with them. */
  constructor(keys: readonly string[]) {
    this.#keys = keys.map((text) => ({ id: derived(text, 'id', 4).toString('hex'), bytes: derived(text, 'key', KEY_BYTES) }));
  }

  seal(text: string, row: string): string {
    const [key] = this.#keys;
    if (!key) return text;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv(CIPHER, key.bytes, iv).setAAD(Buffer.from(row));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return `sealed:${key.id}:${Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url')}`;
  }

  /** Throws FlowError UNAVAILABLE: the key is not given, or it is not as it was written. Nothing is lost meanwhile. */
  open(text: string, row: string): string {
    const [, id, data] = SEALED.exec(text) ?? [];
    if (id === undefined || data === undefined) return text;
    const key = this.#keys.find((one) => one.id === id);
    if (!key) throw unreadable(row, `the key ${id} is not among --subscription_secret_key`);
    const bytes = Buffer.from(data, 'base64url');
    try {
      const decipher = createDecipheriv(CIPHER, key.bytes, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES })
        .setAAD(Buffer.from(row))
        .setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
      return opened.toString('utf8');
    } catch {
      throw unreadable(row, 'it was changed, or is of another row');
    }
  }
}

function derived(text: string, use: 'id' | 'key', bytes: number): Buffer {
  return Buffer.from(hkdfSync('sha256', text, '', `flow-manager/subscription_secret/${use}`, bytes));
}

function unreadable(row: string, why: string) {
  return unavailable('SECRETS_SEALED', `secrets of subscription ${row} cannot be read: ${why}`);
}
