import { randomBytes } from 'node:crypto';

/**
 * Who made which revision. Every commit writes a token of its own in front of those of the commits before it, so
 * that `tokens` holds, newest first, who made the last TOKENS_KEPT revisions: entry k belongs to `revision - k`.
 * Thus the outcome of a commit can be read back even when others have committed on top of it meanwhile.
 */
export const TOKEN_LENGTH = 15;
const TOKENS_KEPT = 16;
/** Width of the column: what does not fit falls off at the old end. */
export const TOKENS_LENGTH = TOKEN_LENGTH * TOKENS_KEPT;

/** Tokens that no other process makes: 48 random bits, and a count of 7 digits of base 36 (78 thousand million). */
export class TokenSource {
  readonly #prefix = randomBytes(6).toString('base64url');
  #count = 0;

  next(): string {
    this.#count += 1;
    return this.#prefix + this.#count.toString(36).padStart(TOKEN_LENGTH - 8, '0');
  }
}

/** `unknown`: so many commits came after it that its token has fallen off. */
export function outcomeOf(
  commit: { readonly revision: number; readonly token: string },
  row: { readonly revision: number; readonly tokens: string } | undefined,
): 'won' | 'lost' | 'unknown' {
  if (!row || row.revision < commit.revision) return 'lost';
  const at = (row.revision - commit.revision) * TOKEN_LENGTH;
  const token = row.tokens.slice(at, at + TOKEN_LENGTH);
  if (token === '') return 'unknown';
  return token === commit.token ? 'won' : 'lost';
}
