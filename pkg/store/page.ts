import type { Expression, ExpressionBuilder, SqlBool } from 'kysely';
import type { Page } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';

/**
 * What comes after the token's place, newest first by (tm_create, id). Written out rather than as a comparison of
 * pairs, for which neither server uses the index.
 */
export function after<T extends 'flows' | 'activeflows' | 'workflow_calls' | 'subscriptions' | 'deliveries'>(
  dialect: Dialect,
  place: NonNullable<Page['after']>,
): (eb: ExpressionBuilder<Pick<Schema, T>, T>) => Expression<SqlBool> {
  const time = dialect.time(place.tm_create);
  const { id } = place;
  return (builder) => {
    const eb = builder as unknown as ExpressionBuilder<Pick<Schema, 'flows'>, 'flows'>;
    if (id === undefined) return eb('tm_create', '<', time);
    // The first condition bounds the range that is read; the second decides within one time.
    return eb.and([eb('tm_create', '<=', time), eb.or([eb('tm_create', '<', time), eb('id', '<', id)])]);
  };
}
