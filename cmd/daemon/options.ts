import { Command, Option } from 'commander';
import { normalizeDashes } from '../../pkg/config/argv.ts';
import { FLAGS, type Flag, type FlagValues, resolveFlags } from '../../pkg/config/flags.ts';
import { type Settings, toSettings } from '../../pkg/config/settings.ts';

/** Reads the command line and the environment. Throws a CommanderError for --help and bad usage, a FlowError for bad values. */
export function readSettings(argv: readonly string[], environment: Readonly<Record<string, string | undefined>>): Settings {
  const program = new Command('flow-manager')
    .description('Decides what happens next in a phone call, a conversation or a message.')
    .addHelpText('after', '\nOne dash or two. Every flag has an environment variable: its name in upper case, such as DBDSN.')
    .allowExcessArguments(false)
    .exitOverride();
  for (const flag of FLAGS) program.addOption(toOption(flag));
  const names = [...FLAGS.map((flag) => flag.name), 'help'];
  program.parse(normalizeDashes(argv, names), { from: 'user' });
  return toSettings(resolveFlags(program.opts<FlagValues>(), environment));
}

/** Defaults are shown in the help and applied after the environment, so commander must not know them. */
function toOption(flag: Flag): Option {
  const shown =
    flag.default === undefined || flag.default === false || flag.default === ''
      ? ''
      : ` (default ${JSON.stringify(flag.default)})`;
  const value = flag.kind === 'switch' ? '' : ` ${flag.value ?? '<text>'}`;
  return new Option(`--${flag.name}${value}`, `${flag.help}${shown}`);
}
