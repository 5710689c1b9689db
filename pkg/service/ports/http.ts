import type { HttpRequest } from '../../model/http.ts';
import type { Json } from '../../model/json.ts';

/** A request of the service's own, or of a customer whose limits it counts against. */
export interface HttpRequestOf extends HttpRequest {
  readonly customer_id?: string;
  /** True: the body of the answer is not wanted. It is read to its end, within its bounds, and `body` is empty. */
  readonly discard?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  /** Names in lower case; several values of one name joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed when it is JSON, else text. */
  readonly body: Json;
}

/** HTTP to addresses that customers choose. Throws FlowError; no message holds more of a URL than its host. */
export interface HttpClient {
  request(request: HttpRequestOf): Promise<HttpAnswer>;
  close(): Promise<void>;
}
