/** Where a command writes. Injected, so that a test reads what a person would see. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
  /** Width in characters; undefined: not a terminal, nothing is cut off. */
  readonly columns: number | undefined;
  readonly colour: boolean;
}

const CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, blue: 34, magenta: 35, cyan: 36 } as const;
export type Colour = keyof typeof CODES;

export function paint(terminal: Pick<Terminal, 'colour'>, colour: Colour, text: string): string {
  return terminal.colour ? `\u001b[${CODES[colour]}m${text}\u001b[0m` : text;
}

/** The process's own terminal. Colours on a terminal only; NO_COLOR (no-color.org) turns them off when it is not empty. */
export function processTerminal(env: NodeJS.ProcessEnv = process.env): Terminal {
  const tty = process.stdout.isTTY === true;
  return {
    out: (line) => void process.stdout.write(`${line}\n`),
    err: (line) => void process.stderr.write(`${line}\n`),
    columns: tty ? process.stdout.columns : undefined,
    colour: tty && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb',
  };
}

/** A duration for a person: `0.4 ms`, `12 ms`, `3.2 s`, `2 min 5 s`. */
export function showDuration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Number((ms / 1000).toFixed(1))} s`;
  const seconds = Math.round(ms / 1000);
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
