import { Command, CommanderError } from 'commander';
import { normalizeDashes } from '../../pkg/config/argv.ts';
import { FlowError } from '../../pkg/error/index.ts';
import { addActiveflowCommands } from './activeflow.ts';
import { addCallCommand } from './call.ts';
import { type Context, Exit } from './context.ts';
import { addDeadLetterCommands } from './dead-letter.ts';
import { addFlowCommands } from './flow.ts';
import { addHistoryCommands } from './history.ts';
import { UsageError } from './input.ts';
import { addMigrateCommand } from './migrate.ts';
import { addGlobalOptions, flagNames } from './options.ts';
import { printError } from './print.ts';
import { addSandboxCommand } from './sandbox-command.ts';
import { addSubscriptionCommands } from './subscription.ts';
import { addVariableCommands } from './variable.ts';
import { addWorkflowCommands } from './workflow.ts';

export const EXIT = { good: 0, failed: 1, usage: 2 } as const;

export function buildProgram(context: Context): Command {
  const program = new Command('flow-control');
  program.description('Looks at and changes what a flow-manager has, over RabbitMQ or over the HTTP of an embedded one.');
  const { terminal } = context;
  program.configureOutput({
    writeOut: (text) => terminal.out(text.trimEnd()),
    writeErr: (text) => terminal.err(text.trimEnd()),
    getOutHelpWidth: () => terminal.columns ?? 100,
  });
  program.exitOverride();
  addGlobalOptions(program);
  // Subcommands take over the settings above from their parent at the time they are added.
  addFlowCommands(program, context);
  addActiveflowCommands(program, context);
  addVariableCommands(program, context);
  addWorkflowCommands(program, context);
  addSubscriptionCommands(program, context);
  addHistoryCommands(program, context);
  addCallCommand(program, context);
  addSandboxCommand(program, context);
  addDeadLetterCommands(program, context);
  addMigrateCommand(program, context);
  return program;
}

/** Runs one command line (without node and script). Resolves with the exit code: 0, 1 failed, 2 badly used, 130 interrupted. */
export async function runControl(argv: readonly string[], context: Context): Promise<number> {
  const program = buildProgram(context);
  try {
    await program.parseAsync(normalizeDashes(argv, flagNames(program)), { from: 'user' });
    return EXIT.good;
  } catch (error) {
    if (error instanceof Exit) return error.code;
    // commander has said already what it has to say; help and version are no failures.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.good : EXIT.usage;
    printError(context.terminal, error);
    const badlyUsed = error instanceof UsageError || (error instanceof FlowError && error.status === 'INVALID_ARGUMENT');
    return badlyUsed ? EXIT.usage : EXIT.failed;
  }
}
