import { type Command, Option } from 'commander';
import type { Context } from './context.ts';
import { DEFAULTS, globalOptions } from './options.ts';
import { printJson } from './print.ts';

export function addMigrateCommand(program: Command, context: Context): void {
  program
    .command('migrate')
    .description("brings the database's schema up to date; may be repeated, and run beside a running daemon")
    .addOption(new Option('--dbDSN <dsn>', 'MySQL or MariaDB').env('DBDSN').default(DEFAULTS.dbDSN))
    .addOption(new Option('--embedded <dir>', "the embedded daemon's folder instead").env('EMBEDDED'))
    .action(async (options: { dbDSN: string; embedded?: string }, command: Command) => {
      const { terminal } = context;
      const { dbDSN } = options;
      // A flag beats the environment, whichever of the two it names.
      const overruled = command.getOptionValueSource('dbDSN') === 'cli' && command.getOptionValueSource('embedded') === 'env';
      const embedded = overruled ? undefined : options.embedded;
      const ran = await context.migrate(embedded === undefined ? { dbDSN } : { embedded });
      if (globalOptions(command).json) return printJson({ terminal, json: true }, ran);
      for (const name of ran) terminal.out(`ran ${name}`);
      terminal.out(
        ran.length === 0 ? 'the schema is up to date already' : `${ran.length} migrations run; the schema is up to date`,
      );
    });
}
