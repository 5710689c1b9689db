import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Page } from '../service/ports.ts';
import type { Dialect } from './dialect.ts';
import type { Schema } from './schema.ts';

/**
 * What comes after the token's place, newest first by (tm_create, id). Written out rather than as a comparison of
 * pairs, for which neither server uses the index.
 */
export function after<T extends 'flows' | 'activeflows' | 'callables' | 'workflow_calls' | 'subscriptions' | 'deliveries'>(
  dialect: Dialect,
  place: NonNullable<Page['after']>,
  key: 'id' | 'flow_id' = 'id',
): (eb: ExpressionBuilder<Pick<Schema, T>, T>) => Expression<SqlBool> {
  const time = dialect.time(place.tm_create);
  const { id } = place;
  return (builder) => {
    const eb = builder as unknown as ExpressionBuilder<Pick<Schema, 'flows' | 'callables'>, 'flows' | 'callables'>;
    if (id === undefined) return eb('tm_create', '<', time);
    // The first condition bounds the range that is read; the second decides within one time.
    return eb.and([eb('tm_create', '<=', time), eb.or([eb('tm_create', '<', time), eb(key, '<', id)])]);
  };
}

/**
 * What comes behind a place of a pass through a table, in the order of two columns. `place`: `<first>~<second>` as the last
 * row had them, neither of which holds a `~`; empty: everything. Written out for the same reason.
 */
export function behind<T extends keyof Schema>(
  first: keyof Schema[T] & string,
  second: keyof Schema[T] & string,
  place: string,
): RawBuilder<SqlBool> {
  const at = place.indexOf('~');
  if (at < 0) return sql<SqlBool>`true`;
  const [a, b] = [place.slice(0, at), place.slice(at + 1)];
  return sql<SqlBool>`(${sql.ref(first)} >= ${a} and (${sql.ref(first)} > ${a} or ${sql.ref(second)} > ${b}))`;
}
