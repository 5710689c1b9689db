import { createHash } from 'node:crypto';
import type { Transaction } from 'kysely';
import type { Json } from '../model/json.ts';
import type { StoredAnswer } from '../service/ports.ts';
import type { Schema } from './schema.ts';
import type { Session } from './session.ts';

/** How long a request that created or changed something is known by its key. */
export const KEY_TTL_MS = 3_600_000;

/** Keys come from callers and may be longer than an index takes. */
export function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('base64url');
}

export async function readAnswer(session: Session, key: string): Promise<StoredAnswer | undefined> {
  const row = await session.run((db) =>
    db
      .selectFrom('flow_answers')
      .select(['status_code', 'data'])
      .where('key_hash', '=', hashKey(key))
      .where('expires_at', '>', session.dialect.now())
      .executeTakeFirst(),
  );
  return row && { key, status_code: row.status_code, data: JSON.parse(row.data) as Json };
}

/** Fails as a duplicate when the key has an answer that is not forgotten yet. */
export async function writeAnswer(trx: Transaction<Schema>, session: Session, answer: StoredAnswer): Promise<void> {
  const key_hash = hashKey(answer.key);
  await trx
    .deleteFrom('flow_answers')
    .where('key_hash', '=', key_hash)
    .where('expires_at', '<=', session.dialect.now())
    .execute();
  await trx
    .insertInto('flow_answers')
    .values({
      key_hash,
      status_code: answer.status_code,
      data: JSON.stringify(answer.data),
      expires_at: session.dialect.now(KEY_TTL_MS),
    })
    .execute();
}
