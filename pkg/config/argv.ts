/**
 * The original's flags were Go's, where one dash is as good as two; operators' unit files use both.
 * commander knows one dash for single letters only. Only the given names are touched, so that a value that
 * happens to begin with a dash (a password, say) stays what it is; nothing behind a lone `--` is touched.
 *
 * @example normalizeDashes(['-rabbit_addr=amqp://h', '-h'], ['rabbit_addr']) // ['--rabbit_addr=amqp://h', '-h']
 */
export function normalizeDashes(argv: readonly string[], names: Iterable<string>): string[] {
  const known = new Set(names);
  const end = argv.indexOf('--');
  return argv.map((argument, position) => {
    if (end !== -1 && position >= end) return argument;
    const name = /^-([A-Za-z][\w-]+)(=|$)/.exec(argument)?.[1];
    return name !== undefined && known.has(name) ? `-${argument}` : argument;
  });
}
