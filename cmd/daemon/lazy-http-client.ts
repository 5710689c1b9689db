import type { HttpAnswer, HttpClient } from '../../pkg/service/ports.ts';

interface ClosableHttpClient extends HttpClient {
  close(): Promise<void>;
}

/** The HTTP client, made at its first request: its library takes a tenth of an idle daemon's memory. */
export class LazyHttpClient implements HttpClient {
  readonly #make: () => Promise<ClosableHttpClient>;
  #made: Promise<ClosableHttpClient> | undefined;

  constructor(make: () => Promise<ClosableHttpClient>) {
    this.#make = make;
  }

  async request(asked: Parameters<HttpClient['request']>[0]): Promise<HttpAnswer> {
    this.#made ??= this.#make();
    return (await this.#made).request(asked);
  }

  async close(): Promise<void> {
    await (await this.#made)?.close();
  }
}
