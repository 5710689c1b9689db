/**
 * Values against schemas that customers write: both are hostile. A schema is bounded before it is compiled, so that it
 * cannot ask for more work than its size; what static rules cannot tell (a pattern that backtracks) is bounded by time.
 * Only JSON that stands in the schema itself counts: nothing is fetched, and nothing of one schema is seen by another.
 */
import { hash } from 'node:crypto';
import { createContext, Script } from 'node:vm';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { LRUCache } from 'lru-cache';
import { pointer } from '../action/pointer.ts';
import { FlowError, invalid, shorten } from '../error/index.ts';
import type { JsonObject } from '../model/json.ts';
import type { InputSchemas } from '../service/ports.ts';
import { boundSchema, boundValue } from './bounds.ts';

/** How long one check may take. The whole process waits for it. */
const CHECK_MS = 50;
const CACHED = 500;
const SHOWN = 20;

const OPTIONS = { allErrors: true, strict: false, logger: false, verbose: true, addUsedSchema: false } as const;

export class CompiledSchemas implements InputSchemas {
  /** By the hash of the schema's text: whoever writes the same gets the same. */
  readonly #compiled = new LRUCache<string, ValidateFunction>({ max: CACHED });
  /** Knows what a schema is, and nothing of any customer's. */
  readonly #judge = new Ajv2020(OPTIONS);

  checkSchema(schema: JsonObject, at: string): void {
    boundSchema(schema, at);
    if (!this.#judge.validateSchema(schema)) {
      const [error] = this.#judge.errors ?? [];
      throw invalid('BAD_SCHEMA', `${at}${error?.instancePath ?? ''}`, error?.data, `a JSON Schema: ${error?.message ?? ''}`);
    }
    this.#compile(schema, at);
  }

  check(schema: JsonObject, value: JsonObject, at: string): void {
    boundValue(value, at);
    const validate = this.#compile(schema, at);
    const errors = withinTime(validate, value, at);
    if (errors.length > 0) throw problem(errors, at);
  }

  #compile(schema: JsonObject, at: string): ValidateFunction {
    const text = JSON.stringify(schema);
    const key = hash('sha256', text, 'base64url');
    const known = this.#compiled.get(key);
    if (known) return known;
    try {
      // An instance of its own: one that lives on would keep every schema it was ever given.
      const made = new Ajv2020({ ...OPTIONS, meta: false, validateSchema: false }).compile(JSON.parse(text));
      this.#compiled.set(key, made);
      return made;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw invalid('BAD_SCHEMA', at, schema, `a JSON Schema that can be used: ${why}`);
    }
  }
}

/** The only code that is run in here is ours; it is here for its limit of time, which regular expressions heed, too. */
const timed = createContext(Object.create(null) as { run?: () => boolean });
const RUN = new Script('run()');

function withinTime(validate: ValidateFunction, value: JsonObject, at: string): readonly ErrorObject[] {
  timed.run = () => validate(value);
  try {
    return RUN.runInContext(timed, { timeout: CHECK_MS }) ? [] : (validate.errors ?? []);
  } catch (error) {
    const late = error instanceof Error && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    const expected = late ? `values that are checked within ${CHECK_MS} ms` : 'values that can be checked';
    throw invalid('INPUTS_TOO_COSTLY', at, value, expected);
  } finally {
    delete timed.run;
    validate.errors = null;
  }
}

function problem(errors: readonly ErrorObject[], at: string): FlowError {
  const details = errors.slice(0, SHOWN).map(({ instancePath, keyword, params, message = keyword, data }) => {
    const missing = keyword === 'required' ? pointer('', String(params.missingProperty)) : '';
    const surplus = params.additionalProperty === undefined ? '' : pointer('', String(params.additionalProperty));
    const value = missing === '' ? shorten(surplus === '' ? data : params.additionalProperty) : shorten(undefined);
    const expected = missing !== '' ? 'a value' : surplus !== '' ? 'no such field' : message.replace(/^must (be )?/, '');
    return { field: `${at}${instancePath}${missing}${surplus}`, value, expected };
  });
  const [first] = details;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  const message = `${first?.field}: expected ${first?.expected}, got ${first?.value}${more}`;
  return new FlowError('INVALID_ARGUMENT', 'BAD_INPUTS', message, details);
}
