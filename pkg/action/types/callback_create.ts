import { Type } from 'typebox';
import { CALLBACK_AUTHS, CALLBACK_METHODS } from '../../model/callback.ts';
import { isJsonObject } from '../../model/json.ts';
import { ask, defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { isOwnVariable, quote } from '../text.ts';

const LONGEST_NAME = 100;

export const callbackCreateAction = defineAction({
  type: 'callback_create',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    name: field.text('Its name in this flow; made again under the same name, the one before is gone.'),
    variable: field.text('The variable that takes its address; default callback.<name>.url.'),
    methods: field.texts('HTTP methods that it takes: GET, POST, PUT, PATCH, DELETE; default POST.'),
    ttl: field.count('How long it is good, in ms; absent or 0: as long as the flow runs.'),
    auth: field.oneOf(
      CALLBACK_AUTHS,
      'What a caller must show besides the address: nothing (default), the secret in variable callback.<name>.secret as a bearer token, or a signature made with it.',
    ),
    multi: field.flag('It may be called more than once.'),
  }),
  doc: 'Makes an address that another service calls, and stores it in a variable.',
  *decide({ option }) {
    const name = option.name ?? '';
    if (name === '' || name.length > LONGEST_NAME || name.includes('\0')) {
      throw failure('INVALID_ARGUMENT', 'CALLBACK_NAME', `callback_create: name: expected 1 to ${LONGEST_NAME} characters`);
    }
    const variable = option.variable || `callback.${name}.url`;
    if (isOwnVariable(variable)) {
      throw failure('INVALID_ARGUMENT', 'VARIABLE_RESERVED', `callback_create: ${variable} is set by the service itself`);
    }
    const methods = (option.methods ?? []).map((method) => method.toUpperCase());
    const odd = methods.find((method) => !CALLBACK_METHODS.some((known) => known === method));
    if (odd !== undefined) {
      const message = `callback_create: methods: expected ${CALLBACK_METHODS.join(', ')}, got ${quote(odd)}`;
      throw failure('INVALID_ARGUMENT', 'CALLBACK_METHOD', message);
    }
    const auth = option.auth || 'none';
    const made = yield* ask({
      kind: 'callback',
      name,
      methods: methods.length === 0 ? ['POST'] : [...new Set(methods)],
      ttl_ms: option.ttl ?? 0,
      auth,
      multi: option.multi === true,
    });
    const { url, secret } = isJsonObject(made) ? made : {};
    return {
      kind: 'next',
      set: { [variable]: url ?? '', ...(auth === 'none' ? {} : { [`callback.${name}.secret`]: secret ?? '' }) },
      reason: `callback ${quote(name)}: its address is in ${variable}`,
    };
  },
});
