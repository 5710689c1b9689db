/** Prints docs/actions.md, made from the catalogue: `npx tsx scripts/docs-actions.ts > docs/actions.md`. */
import { pathToFileURL } from 'node:url';
import { ACTION_TYPES } from '../pkg/action/catalogue.ts';
import type { ActionType } from '../pkg/action/definition.ts';
import { alternatives, describeNode, type SchemaNode, schemaNode } from '../pkg/action/schema.ts';

const MEDIA = { rtc: 'calls only', non_rtc: 'all but calls', any: 'any' } as const;

const HEAD = `# Types of action

Made by \`scripts/docs-actions.ts\` from the catalogue in pkg/action. Do not edit.

An action is \`{id, next_id, type, option, name, on_error_target_id, retry}\`; only \`type\` must be given.
\`retry\` is \`{attempts, initial_ms, max_ms, factor}\` ([flows.md](flows.md#tries)).
Every text in an option may hold \`\${name}\`, which is replaced by that variable just before the action runs, and
may stand in place of a number, too. Keys that a type does not know are kept, with a warning. An action whose
medium the reference lacks is passed over.

**Run by** says who does it: *flow* is this service itself; *caller* gets the action as the answer to \`next\`.`;

/** The whole page. */
export function actionsPage(): string {
  const types = [...ACTION_TYPES].sort((a, b) => (a.type < b.type ? -1 : 1));
  const rows = types.map(
    (type) => `| [${type.type}](#${type.type}) | ${runBy(type)} | ${MEDIA[type.medium]} | ${cell(type.doc)} |`,
  );
  const index = ['| type | run by | medium | what it does |', '|---|---|---|---|', ...rows].join('\n');
  return `${[HEAD, index, ...types.map(section)].join('\n\n')}\n`;
}

function section(type: ActionType): string {
  const also = type.aliases?.length ? ` Older name: ${type.aliases.map((name) => `\`${name}\``).join(', ')}.` : '';
  const failure =
    type.by === 'caller' ? '' : ` A failure ${type.on_failure === 'continue' ? 'lets the flow go on' : 'stops the flow'}.`;
  const facts = `Run by: ${runBy(type)}. Medium: ${MEDIA[type.medium]}.${failure}${also}`;
  return [`## ${type.type}`, type.doc, facts, optionTable(schemaNode(type.option))].join('\n\n');
}

function runBy(type: ActionType): string {
  if (type.by === 'manager') return 'flow';
  return type.decide ? 'caller, or flow' : 'caller';
}

function optionTable(node: SchemaNode): string {
  const rows = optionRows(node, '');
  if (rows.length === 0) return 'It takes no option.';
  return ['| option | value | |', '|---|---|---|', ...rows].join('\n');
}

function optionRows(node: SchemaNode, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, part]) => {
    const must = node.required?.includes(name) ? ' (must be given)' : '';
    const row = `| \`${prefix}${name}\` | ${cell(describeNode(part) + must)} | ${cell(part.description ?? '')} |`;
    return [row, ...innerRows(part, prefix + name)];
  });
}

/** The parts of an object, or of the objects in a list. */
function innerRows(node: SchemaNode, name: string): string[] {
  return alternatives(node).flatMap((one) => (one.items ? innerRows(one.items, `${name}[]`) : optionRows(one, `${name}.`)));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) process.stdout.write(actionsPage());
