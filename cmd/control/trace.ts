import { isJsonObject, type Json, type JsonObject } from '../../pkg/model/json.ts';
import { type Session, segment } from './context.ts';
import { field, objects, printJson } from './print.ts';
import { type Column, printable, renderTable } from './table.ts';
import { type Colour, paint, showDuration } from './terminal.ts';

const COLOURS: { readonly [outcome: string]: Colour } = {
  handed_over: 'green',
  jumped: 'cyan',
  forwarded: 'cyan',
  pushed: 'blue',
  waiting: 'yellow',
  passed_over: 'dim',
  failed: 'red',
  retried: 'red',
  stopped: 'yellow',
  finished: 'bold',
};

/** One line per thing that happened, so that a person sees why the flow went where it went. */
export async function printTrace(session: Session, id: string): Promise<void> {
  const at = `/v1/activeflows/${segment(id)}`;
  const trace = await session.ask('GET', `${at}/trace`);
  if (session.json) return printJson(session, trace);
  const activeflow = await session.ask('GET', at);
  for (const line of traceLines(objects(trace), isJsonObject(activeflow) ? activeflow : {}, session.terminal))
    session.terminal.out(line);
}

export function traceLines(
  steps: readonly JsonObject[],
  activeflow: JsonObject,
  terminal: { readonly columns: number | undefined; readonly colour: boolean },
): string[] {
  const names = actionNames(activeflow);
  const columns: Column<JsonObject>[] = [
    { title: 'seq', align: 'right', value: (step) => field(step, 'seq') },
    // The day is in the heading; a step is looked up by its time of day, to the millisecond.
    { title: 'time', value: (step) => field(step, 'tm').slice(11, 23), colour: () => 'dim' },
    { title: 'action', value: (step) => actionLabel(step, names), shrink: true },
    { title: 'outcome', value: (step) => field(step, 'outcome'), colour: (step) => COLOURS[field(step, 'outcome')] },
    { title: 'reason', value: (step) => field(step, 'reason'), shrink: true },
    { title: 'duration', align: 'right', value: (step) => showDuration(Number(step.duration_ms ?? 0)), colour: () => 'dim' },
  ];
  const reference = `${field(activeflow, 'reference_type')} ${field(activeflow, 'reference_id')}`.trim();
  const heading = [
    `activeflow ${field(activeflow, 'id')}`,
    field(activeflow, 'status'),
    reference,
    `since ${field(activeflow, 'tm_create')}`,
    `${field(activeflow, 'execute_count')} actions left behind`,
  ].filter((part) => part !== '');
  return [paint(terminal, 'bold', printable(heading.join(' · '))), ...renderTable(steps, columns, terminal)];
}

/** `talk "menu"`: the type, and the name that the flow's author gave it. */
function actionLabel(step: JsonObject, names: ReadonlyMap<string, string>): string {
  const action = isJsonObject(step.action) ? step.action : {};
  const type = field(action, 'type') || MARKS[field(action, 'id')] || field(action, 'id');
  const name = field(action, 'name') || names.get(field(action, 'id'));
  return name === undefined || name === '' ? type : `${type} "${name}"`;
}

const MARKS: { readonly [id: string]: string } = {
  '00000000-0000-0000-0000-000000000001': '(start)',
  '00000000-0000-0000-0000-000000000002': '(finish)',
  '00000000-0000-0000-0000-000000000000': '',
};

/** Trace steps name actions by id and type; their names are in the activeflow's lists. */
function actionNames(activeflow: JsonObject): Map<string, string> {
  const stacks = isJsonObject(activeflow.stack_map) ? Object.values(activeflow.stack_map) : [];
  const lists: Json[] = [activeflow.actions ?? [], ...stacks.map((stack) => (isJsonObject(stack) ? (stack.actions ?? []) : []))];
  return new Map(lists.flatMap(objects).map((action) => [field(action, 'id'), field(action, 'name')]));
}
