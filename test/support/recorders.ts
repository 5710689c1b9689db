import type { Log, Meter } from '../../pkg/service/ports.ts';

interface Measured {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Remembers what was measured, in order. */
export class RecordingMeter implements Meter {
  readonly measured: Measured[] = [];

  add(name: string, labels: object, value = 1): void {
    this.#keep(name, labels, value);
  }

  observe(name: string, labels: object, value: number): void {
    this.#keep(name, labels, value);
  }

  set(name: string, labels: object, value: number): void {
    this.#keep(name, labels, value);
  }

  of(name: string): Measured[] {
    return this.measured.filter((one) => one.name === name);
  }

  #keep(name: string, labels: object, value: number): void {
    this.measured.push({ name, labels: { ...labels }, value });
  }
}

/** Remembers what was logged, in order: `warn {"sibling":"call"} words`. */
export class RecordingLog implements Log {
  readonly lines: string[] = [];

  debug(fields: object, message: string): void {
    this.#keep('debug', fields, message);
  }

  info(fields: object, message: string): void {
    this.#keep('info', fields, message);
  }

  warn(fields: object, message: string): void {
    this.#keep('warn', fields, message);
  }

  error(fields: object, message: string): void {
    this.#keep('error', fields, message);
  }

  #keep(level: string, fields: object, message: string): void {
    this.lines.push(`${level} ${JSON.stringify(fields)} ${message}`);
  }
}
