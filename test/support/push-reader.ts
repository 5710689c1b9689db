import { eventually } from './inbox.ts';

export interface Pushed {
  readonly id: string;
  readonly name: string;
  readonly data: { readonly id: string; readonly attributes: { readonly [name: string]: unknown } } & Record<string, unknown>;
}

/** One tab that listens to the push channel over server-sent events. */
export class PushReader {
  readonly events: Pushed[] = [];
  /** Ids as they stood on their own line. */
  readonly ids: string[] = [];
  closed = false;
  /** Resolves when it is closed, by either side. */
  over: Promise<void> = Promise.resolve();
  readonly #abort = new AbortController();

  static async open(url: string, headers: Readonly<Record<string, string>>): Promise<PushReader> {
    const reader = new PushReader();
    const response = await fetch(url, { headers, signal: reader.#abort.signal });
    if (response.status !== 200 || !response.body) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    reader.over = reader.#read(response.body);
    return reader;
  }

  /** The events, once there are so many. */
  async until(count: number): Promise<Pushed[]> {
    await eventually(`${count} events`, () => this.events.length >= count);
    return this.events;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let text = '';
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#take(text.slice(0, end).split('\n'));
          text = text.slice(end + 2);
        }
      }
    } catch {
      // Closed by the test, or by the daemon.
    }
    this.closed = true;
  }

  #take(lines: readonly string[]): void {
    const data = lines.filter((line) => line.startsWith('data: '));
    const id = lines.find((line) => line.startsWith('id: '));
    if (data.length !== 1 || id === undefined) return;
    this.ids.push(id.slice(4));
    this.events.push(JSON.parse(data[0]?.slice(6) ?? '') as Pushed);
  }
}
