import type { CommandTable, Question, Reply } from '../protocol.ts';

type Handlers<Commands extends CommandTable<Commands>> = {
  readonly [Name in keyof Commands]: (input: Commands[Name]['in']) => Promise<Commands[Name]['out']>;
};

/** Answers the bench's commands in this worker process, and ends with the bench. */
export function serve<Commands extends CommandTable<Commands>>(handlers: Handlers<Commands>): void {
  const table = handlers as unknown as Readonly<Record<string, (input: unknown) => Promise<unknown>>>;
  process.on('message', ({ id, name, input }: Question) => {
    const answer = async (): Promise<unknown> => {
      const handler = table[name];
      if (!handler) throw new Error(`no command ${name}`);
      return handler(input);
    };
    answer().then(
      (output) => reply({ id, output: output ?? null }),
      (error: unknown) => reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.once('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group: the bench ends its workers itself, after it has stopped to ask them.
  process.on('SIGINT', () => undefined);
}

function reply(message: Reply): void {
  process.send?.(message);
}
