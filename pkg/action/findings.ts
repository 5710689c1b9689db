import { type ErrorDetail, FlowError } from '../error/index.ts';
import type { Warning } from '../model/flow.ts';

/** More would help nobody, and a hostile list could have as many as fit into a message. */
const MOST_ERRORS = 20;
const MOST_WARNINGS = 100;

type Detail = Required<ErrorDetail> & { readonly reason: string };

/** What a check has found wrong (errors) or odd (warnings). */
export class Findings {
  readonly #details: Detail[] = [];
  readonly #warnings: Warning[] = [];
  #errors = 0;
  #unsaid = 0;

  error(reason: string, field: string, value: unknown, expected: string): void {
    this.#errors += 1;
    if (this.#details.length < MOST_ERRORS) this.#details.push({ reason, field, value: brief(value), expected });
  }

  warn(path: string, message: string): void {
    if (this.#warnings.length < MOST_WARNINGS) this.#warnings.push({ path, message });
    else this.#unsaid += 1;
  }

  /** The warnings, once there is no error; else a FlowError 400 that names all errors, or the first of very many. */
  settle(path: string): Warning[] {
    const [first] = this.#details;
    if (!first) {
      if (this.#unsaid === 0) return this.#warnings;
      return [...this.#warnings, { path, message: `${this.#unsaid} more warnings are not shown` }];
    }
    const more = this.#errors === 1 ? '' : ` (and ${this.#errors - 1} more)`;
    const message = `${first.field || 'data'}: expected ${first.expected}, got ${String(first.value)}${more}`;
    const details = this.#details.map(({ field, value, expected }) => ({ field, value, expected }));
    throw new FlowError('INVALID_ARGUMENT', first.reason, message, details);
  }
}

/** A value in a few words. What has parts is only named: writing it out could take long, or overflow the stack. */
function brief(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
