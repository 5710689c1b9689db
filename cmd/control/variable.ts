import type { Command } from 'commander';
import { isJsonObject, type Json } from '../../pkg/model/json.ts';
import { type Context, inSession, type Session, segment } from './context.ts';
import { collectPair, UsageError } from './input.ts';
import { printJson, printList } from './print.ts';

const uri = (id: string, rest = ''): string => `/v1/variables/${segment(id)}${rest}`;

export function addVariableCommands(program: Command, context: Context): void {
  const variable = program.command('variable').description("an activeflow's variables");
  variable
    .command('get <activeflow-id> [name]')
    .description('all of them, or the value of one')
    .action((id: string, name: string | undefined, _options, command: Command) =>
      inSession(context, command, async (session) => {
        const variables = variablesOf(await session.ask('GET', uri(id)));
        if (name === undefined) return printVariables(session, variables);
        const value = variables[name];
        if (value === undefined) throw new UsageError(`no variable ${name} in activeflow ${id}`);
        if (session.json) return printJson(session, value);
        session.terminal.out(String(value));
      }),
    );
  variable
    .command('set')
    .argument('<activeflow-id>')
    .argument('<name=value...>', 'what to set', collectPair)
    .description('sets one or several in one go')
    .action((id: string, pairs: Record<string, string>, _options, command: Command) =>
      inSession(context, command, async (session) => {
        const answer = await session.ask('POST', uri(id, '/variables'), { variables: pairs });
        printVariables(session, variablesOf(answer ?? (await session.ask('GET', uri(id)))));
      }),
    );
  variable
    .command('delete <activeflow-id> <name>')
    .description('removes one')
    .action((id: string, name: string, _options, command: Command) =>
      inSession(context, command, async (session) => {
        const answer = await session.ask('DELETE', uri(id, `/variables/${segment(name)}`));
        printVariables(session, variablesOf(answer ?? (await session.ask('GET', uri(id)))));
      }),
    );
  variable
    .command('substitute <activeflow-id> <text>')
    .description('what a text becomes when its variables are put in; - reads it from stdin')
    .action((id: string, text: string, _options, command: Command) =>
      inSession(context, command, async (session) => {
        const source = text === '-' ? await session.read('-') : text;
        const answer = await session.ask('POST', uri(id, '/substitute'), { data: source });
        if (session.json) return printJson(session, answer);
        session.terminal.out(isJsonObject(answer) ? String(answer.data ?? '') : String(answer));
      }),
    );
}

function variablesOf(answer: Json): { readonly [name: string]: Json } {
  return isJsonObject(answer) && isJsonObject(answer.variables) ? answer.variables : {};
}

function printVariables(session: Session, variables: { readonly [name: string]: Json }): void {
  if (session.json) {
    printJson(session, variables);
    return;
  }
  const rows = Object.entries(variables).map(([name, value]) => ({ name, value }));
  rows.sort((a, b) => (a.name < b.name ? -1 : 1));
  printList(session, rows, [
    { title: 'name', value: (row) => String(row.name), colour: () => 'cyan' },
    { title: 'value', value: (row) => String(row.value), shrink: true },
  ]);
}
