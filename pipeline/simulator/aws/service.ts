// What an AWS endpoint of the simulator is: a request in, an answer out, no sockets.
// Promises: a service touches the world only through the ports it was made with, so one seed replays one run.

/** One HTTP request as a service sees it. */
export interface SimRequest {
  readonly method: string;
  /** The path as it came, percent-encoded, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body as it came over the wire; read at most once. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface SimResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** One AWS service, e.g. S3 or Glue. */
export interface SimService {
  /** The service's name in credential scopes and endpoint variables, in lower case: 's3', 'glue', 'athena', 'dynamodb'. */
  readonly name: string;
  /** Answers a request. Errors that AWS knows are answers; a throw is a bug. */
  handle(request: SimRequest): Promise<SimResponse>;
}

/** Documents a service keeps (JSON values by name), whole and durable after `put`: the simulator can be killed and started. */
export interface SimDocuments {
  get(name: string): Promise<unknown | null>;
  put(name: string, value: unknown): Promise<void>;
  remove(name: string): Promise<void>;
  /** Names that begin with the prefix, sorted. */
  names(prefix: string): Promise<readonly string[]>;
}
