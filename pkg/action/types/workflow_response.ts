import { Type } from 'typebox';
import type { Json } from '../../model/json.ts';
import { defineAction } from '../definition.ts';
import { failure } from '../fail.ts';
import { field } from '../schema.ts';
import { quote } from '../text.ts';

const LONGEST_CODE = 100;

export const workflowResponseAction = defineAction({
  type: 'workflow_response',
  medium: 'any',
  by: 'manager',
  option: Type.Object({
    status: field.count('In the manner of HTTP, 100 to 599; default 200. From 400 on the call has failed.'),
    code: field.text('One word that says what came of it; default SUCCESS, or FAILED from status 400 on.'),
    data: field.any('What the caller gets; a text that is a JSON object or list is taken as that. Default {}.'),
  }),
  doc: 'Answers whoever called this flow as a workflow, or started it as a job: `data` is the job’s result. The first answer counts; the flow goes on.',
  decide({ option }) {
    const status = option.status || 200;
    if (status < 100 || status > 599) {
      throw failure('INVALID_ARGUMENT', 'BAD_STATUS', `workflow_response: status: expected 100 to 599, got ${status}`);
    }
    const code = option.code || (status < 400 ? 'SUCCESS' : 'FAILED');
    if (code.length > LONGEST_CODE) {
      throw failure('INVALID_ARGUMENT', 'CODE_TOO_LONG', `workflow_response: code: expected at most ${LONGEST_CODE} characters`);
    }
    // Not the data: it is the caller's.
    return { kind: 'next', respond: { status, code, data: dataOf(option.data) }, reason: `answers ${status} ${quote(code)}` };
  },
});

/** Whole values come out of substitution as text: `${order}` is meant as the order. */
function dataOf(data: unknown): Json {
  if (data === undefined || data === '') return {};
  if (typeof data !== 'string' || !/^\s*[[{]/.test(data)) return data as Json;
  try {
    return JSON.parse(data) as Json;
  } catch {
    return data;
  }
}
