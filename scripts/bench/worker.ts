import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endChild, own } from './processes.ts';
import type { CommandTable, Question, Reply } from './protocol.ts';

interface Pending {
  readonly resolve: (output: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A Node process of its own that the bench gives commands to (worker/). Its death fails what it was asked. */
export class Worker<Commands extends CommandTable<Commands>> {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #pending = new Map<number, Pending>();
  #count = 0;

  /** @param file under worker/, such as `echo.ts` */
  constructor(file: string) {
    this.#name = file;
    // Inherits execArgv, and with it tsx.
    this.#child = own(
      fork(fileURLToPath(new URL(`./worker/${file}`, import.meta.url)), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
    this.#child.on('message', (reply: Reply) => this.#answered(reply));
    this.#child.once('exit', (code, signal) => this.#failAll(`${file} ended (${signal ?? code})`));
    this.#child.once('error', (error) => this.#failAll(`${file}: ${error.message}`));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  ask<Name extends keyof Commands & string>(name: Name, input: Commands[Name]['in']): Promise<Commands[Name]['out']> {
    const id = ++this.#count;
    const question: Question = { id, name, input };
    return new Promise<unknown>((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#child.send(question, (error) => {
        if (error) this.#take(id)?.reject(error);
      });
    }) as Promise<Commands[Name]['out']>;
  }

  async close(): Promise<void> {
    await endChild(this.#child, 2_000);
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #answered(reply: Reply): void {
    const pending = this.#take(reply.id);
    if ('error' in reply) pending?.reject(new Error(`${this.#name}: ${reply.error}`));
    else pending?.resolve(reply.output);
  }

  #failAll(reason: string): void {
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(new Error(reason));
  }
}
