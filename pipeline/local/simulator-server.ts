// The simulator of AWS as an HTTP server on this machine: requests to services, faults in between, a log of it all.
// Promises: one endpoint for all services; state in a folder, so that it can be killed and started; nothing is sent on.
// Source: simulator/aws/service.ts; AWS SDKs and Tools Reference Guide, "Service-specific endpoints" (AWS_ENDPOINT_URL).
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { TidelakeError } from '../../schemas/errors.js';
import type { Clock } from '../ports.js';
import type { RunSql } from '../simulator/aws/athena-executions.js';
import type { BillCounter } from '../simulator/aws/bill.js';
import {
  type DescribedRequest,
  describeRequest,
  serviceOf,
} from '../simulator/aws/describe-request.js';
import type { DynamoDbControl } from '../simulator/aws/dynamodb.js';
import {
  type Fault,
  type FaultPlan,
  type FaultPlanInput,
  parseFaultPlan,
} from '../simulator/aws/fault-plan.js';
import {
  FaultInjector,
  type FaultRuleUse,
  faultAnswer,
  withWrongEtag,
} from '../simulator/aws/faults.js';
import type { SimRequest, SimResponse, SimService } from '../simulator/aws/service.js';
import { answerPage } from '../simulator/aws/simulator-pages.js';
import type { VirtualClock } from '../simulator/aws/virtual-clock.js';
import { SystemClock } from './clock.js';
import { errnoOf } from './file-errors.js';
import { RandomIds } from './ids.js';
import { lockFolder } from './simulator-lock.js';
import { openSimulatorServices, type SimulatorServices } from './simulator-services.js';

export interface SimulatorOptions {
  /** Folder of the state; made when missing. */
  readonly dir: string;
  /** Port to listen on; 0 for any that is free. */
  readonly port: number;
  /** Address to listen on. Default 127.0.0.1: nothing is verified, so nobody else should reach it. */
  readonly host?: string;
  readonly faults?: FaultPlanInput;
  /** Buckets to make where they are missing. */
  readonly buckets?: readonly string[];
  readonly clock?: Clock;
  /** Runs the SQL that Athena is asked; without it, every query fails. */
  readonly runSql?: RunSql;
  /** Told of a request that a service could not answer because of a bug or the disk. */
  readonly onError?: (error: unknown, request: DescribedRequest) => void;
}

/** One request as the log has it from its arrival on; status and bytes grow with the answer. */
export interface RequestRecord extends DescribedRequest {
  /** From 1, in the order of arrival. */
  readonly number: number;
  /** Of the answer; null as long as none has begun. */
  readonly status: number | null;
  /** Bytes of the bodies, as far as they went over the wire. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** The fault it met, or null. */
  readonly fault: Fault['fault'] | null;
}

/** A running simulator. */
export interface Simulator {
  /** For AWS_ENDPOINT_URL, without trailing slash. */
  readonly url: string;
  /** The log so far, oldest first. */
  requests(): readonly RequestRecord[];
  clearRequests(): void;
  /** Puts a plan in place of the one before; counts begin anew. Throws a RangeError for a plan that is none. */
  setFaults(plan: FaultPlanInput): void;
  /** How often each rule of the plan met a request and fired. */
  faultUses(): readonly FaultRuleUse[];
  /** The time of all services; it can be moved forward. */
  readonly clock: VirtualClock;
  /** DynamoDB besides its API: consumed capacity, settings, tables with a past. */
  readonly dynamodb: DynamoDbControl;
  /** What AWS would charge for what was done. */
  readonly bill: BillCounter;
  /** Ends all connections and gives the folder back. */
  close(): Promise<void>;
}

/** Requests the log keeps; the oldest go first. */
const recordsMax = 200_000;
/** Largest body of a request of a JSON protocol, in bytes. */
const jsonBytesMax = 64 * 1024 * 1024;
/** Longer than clients keep a connection they may still use, so that none is closed under a request. */
const keepAliveMs = 120_000;

/** Starts a simulator. Throws USAGE when the folder or the port is taken, or the plan is none. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const plan = checkedPlan(options.faults ?? []);
  const unlock = await lockFolder(options.dir);
  try {
    const opened = await openSimulatorServices({
      dir: options.dir,
      clock: options.clock ?? new SystemClock(),
      ids: new RandomIds(),
      ...(options.runSql === undefined ? {} : { runSql: options.runSql }),
    });
    const s3 = opened.services.find((service) => service.name === 's3')!;
    for (const bucket of options.buckets ?? []) await makeBucket(s3, bucket);
    const running = new RunningSimulator(opened, plan, options.onError ?? (() => {}));
    const url = await running.listen(options.port, options.host ?? '127.0.0.1');
    return {
      url,
      requests: () => running.records,
      clearRequests: () => {
        running.records = [];
      },
      setFaults: (input) => {
        running.injector = new FaultInjector(checkedPlan(input));
      },
      faultUses: () => running.injector.uses(),
      clock: opened.clock,
      dynamodb: opened.dynamodb,
      bill: opened.bill,
      close: async () => {
        await running.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Makes a bucket; one that is there stays as it is. Throws USAGE for a name that S3 does not take. */
async function makeBucket(s3: SimService, bucket: string): Promise<void> {
  const { status } = await s3.handle({
    method: 'PUT',
    path: `/${bucket}`,
    query: new URLSearchParams(),
    headers: {},
    body: once(new Uint8Array(0)),
  });
  if (status === 200 || status === 409) return;
  throw new TidelakeError({
    code: 'USAGE',
    what: `S3 takes no bucket named ${bucket}`,
    meaning: 'the simulator was not started',
    next: 'use 3 to 63 small letters, digits and dashes',
  });
}

function checkedPlan(input: unknown): FaultPlan {
  const plan = parseFaultPlan(input);
  if (typeof plan === 'string') throw new RangeError(`not a fault plan: ${plan}`);
  return plan;
}

class RunningSimulator {
  records: RequestRecord[] = [];
  injector: FaultInjector;
  readonly #opened: SimulatorServices;
  readonly #services: ReadonlyMap<string, SimService>;
  readonly #server: Server;
  readonly #onError: (error: unknown, request: DescribedRequest) => void;
  #count = 0;

  constructor(
    opened: SimulatorServices,
    plan: FaultPlan,
    onError: (error: unknown, request: DescribedRequest) => void,
  ) {
    this.#opened = opened;
    this.#services = new Map(opened.services.map((service) => [service.name, service]));
    this.injector = new FaultInjector(plan);
    this.#onError = onError;
    this.#server = createServer({ keepAlive: true, noDelay: true, requestTimeout: 0 });
    this.#server.keepAliveTimeout = keepAliveMs;
    this.#server.on('request', (incoming, outgoing) => {
      // The connection is gone when a client leaves; what is still written then goes nowhere, and is no error of ours.
      outgoing.on('error', () => incoming.socket.destroy());
      // Not even an error could be answered: the client learns it by the end of the connection.
      this.#answer(incoming, outgoing).catch(() => incoming.socket.destroy());
    });
  }

  async listen(port: number, host: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(listenError(error, port, host)));
      this.#server.listen(port, host, resolve);
    });
    const address = this.#server.address() as AddressInfo;
    const name = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return `http://${name}:${address.port}`;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const request = simRequest(incoming);
    if (request.path.startsWith('/_simulator/')) return await this.#answerOwn(request, outgoing);
    const meter: Meter = { status: null, requestBytes: 0, responseBytes: 0 };
    let described = describeRequest(request, null);
    try {
      const metered = { ...request, body: counted(request.body, meter) };
      // JSON protocols are read whole: what they are about stands in the body.
      const json = serviceOf(request) === 's3' ? null : await readAll(metered.body, jsonBytesMax);
      if (json !== null) described = describeRequest(request, json);
      const fault = this.injector.decide(described);
      this.#record(described, fault, meter);
      const whole = json === null ? metered : { ...metered, body: once(json) };
      await this.#answerWith(described, whole, fault, outgoing, meter);
    } catch (error) {
      // A client that went away is no error of ours.
      if (incoming.socket.destroyed) return;
      this.#onError(error, described);
      await this.#answerBug(described, request, outgoing, meter);
    }
  }

  async #answerWith(
    described: DescribedRequest,
    request: SimRequest,
    fault: Fault | null,
    outgoing: ServerResponse,
    meter: Meter,
  ): Promise<void> {
    const apply = (body: SimRequest['body'] = request.body): Promise<SimResponse> =>
      this.#apply(described, { ...request, body });
    const send = (answer: SimResponse, limits: SendLimits = {}): Promise<void> =>
      sendAnswer(outgoing, request.method, answer, meter, limits);
    switch (fault?.fault) {
      case undefined:
        return send(await apply());
      case 'error':
      case 'errorIn200':
        await drain(request.body);
        return send(faultAnswer({ ...described, method: request.method }, fault));
      case 'refuse':
        (await connectionOf(outgoing))?.resetAndDestroy();
        return;
      case 'loseAnswer':
        await discard(await apply());
        (await connectionOf(outgoing))?.resetAndDestroy();
        return;
      case 'hang':
        if (fault.applied === true) await discard(await apply());
        else await drain(request.body);
        return untilClosed(outgoing);
      case 'cut':
        return send(await apply(), { bytesMax: fault.afterBytes, end: 'cut' });
      case 'stall':
        return send(await apply(), { bytesMax: fault.afterBytes, end: 'stall' });
      case 'drip':
        return send(await apply(), { drip: fault });
      case 'corrupt':
        return send(await apply(), { corruptAt: fault.atByte });
      case 'delay':
        await sleep(fault.ms);
        return send(await apply());
      case 'wrongEtag':
        return send(withWrongEtag(await apply()));
      case 'duplicate': {
        const bytes = await readAll(request.body, Number.POSITIVE_INFINITY);
        const first = await apply(once(bytes));
        const second = await apply(once(bytes));
        const [given, dropped] = fault.answer === 'second' ? [second, first] : [first, second];
        await discard(dropped);
        return send(given);
      }
    }
  }

  async #apply(described: DescribedRequest, request: SimRequest): Promise<SimResponse> {
    const service = this.#services.get(described.service);
    if (service !== undefined) return await service.handle(request);
    const message = `the simulator has no service ${described.service}`;
    return {
      status: 400,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      body: Buffer.from(JSON.stringify({ __type: 'UnknownOperationException', message })),
    };
  }

  async #answerBug(
    described: DescribedRequest,
    request: SimRequest,
    outgoing: ServerResponse,
    meter: Meter,
  ): Promise<void> {
    if (outgoing.headersSent) {
      (await connectionOf(outgoing))?.destroy();
      return;
    }
    const code = described.service === 's3' ? 'InternalError' : 'InternalServiceException';
    const answer = faultAnswer({ ...described, method: request.method }, { fault: 'error', code });
    await sendAnswer(outgoing, request.method, answer, meter, {});
  }

  #record(described: DescribedRequest, fault: Fault | null, meter: Meter): void {
    this.#count += 1;
    const record: RequestRecord = {
      number: this.#count,
      ...described,
      fault: fault?.fault ?? null,
      // What a client can know of its answer is in the log before the client knows it.
      get status() {
        return meter.status;
      },
      get requestBytes() {
        return meter.requestBytes;
      },
      get responseBytes() {
        return meter.responseBytes;
      },
    };
    this.records.push(record);
    if (this.records.length > recordsMax) this.records = this.records.slice(recordsMax >> 1);
  }

  /** The simulator's own pages: its log, its plan, and those of services. No bucket has a name with an underscore. */
  async #answerOwn(request: SimRequest, outgoing: ServerResponse): Promise<void> {
    const answer = (status: number, value: unknown): void => {
      outgoing.writeHead(status, { 'content-type': 'application/json' });
      outgoing.end(`${JSON.stringify(value)}\n`);
    };
    const what = `${request.method} ${request.path.slice('/_simulator/'.length)}`;
    if (what === 'GET requests') return answer(200, this.records);
    if (what === 'DELETE requests') {
      this.records = [];
      return answer(200, {});
    }
    if (what === 'GET faults') return answer(200, this.injector.uses());
    const page = await answerPage(this.#opened, what, async () =>
      jsonOrNull(await readAll(request.body, jsonBytesMax)),
    );
    if (page !== null) return answer(page.status, page.value);
    if (what !== 'PUT faults') return answer(404, { error: `there is no ${what}` });
    const plan = parseFaultPlan(jsonOrNull(await readAll(request.body, jsonBytesMax)));
    if (typeof plan === 'string') return answer(400, { error: `not a fault plan: ${plan}` });
    this.injector = new FaultInjector(plan);
    return answer(200, { rules: plan.rules.length });
  }
}

function simRequest(incoming: IncomingMessage): SimRequest {
  const url = incoming.url ?? '/';
  const mark = url.indexOf('?');
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) {
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return {
    method: incoming.method ?? 'GET',
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers,
    body: incoming,
  };
}

/** What of a request and its answer has gone over the wire so far. */
interface Meter {
  status: number | null;
  requestBytes: number;
  responseBytes: number;
}

/** How an answer goes wrong on its way. A limit that the body does not reach changes nothing. */
interface SendLimits {
  readonly bytesMax?: number;
  readonly end?: 'cut' | 'stall';
  readonly drip?: { readonly bytes: number; readonly everyMs: number };
  readonly corruptAt?: number;
}

async function sendAnswer(
  outgoing: ServerResponse,
  method: string,
  answer: SimResponse,
  meter: Meter,
  asked: SendLimits,
): Promise<void> {
  const { status, headers, body } = answer;
  meter.status = status;
  const isBodyless = method === 'HEAD' || status === 204 || status === 304;
  const isSized =
    body instanceof Uint8Array && !isBodyless && headers['content-length'] === undefined;
  outgoing.writeHead(
    status,
    isSized ? { ...headers, 'content-length': String(body.length) } : headers,
  );
  if (isBodyless) {
    await discard(answer);
    outgoing.end();
    return;
  }
  const size = body instanceof Uint8Array ? body.length : Number(headers['content-length']);
  const limits = (asked.bytesMax ?? 0) >= size ? {} : asked;
  let left = limits.bytesMax ?? Number.POSITIVE_INFINITY;
  if (left === 0) outgoing.flushHeaders();
  for await (const whole of body instanceof Uint8Array ? once(body) : body) {
    const corrupted = corrupt(whole, (limits.corruptAt ?? -1) - meter.responseBytes);
    const piece = corrupted.length > left ? corrupted.subarray(0, left) : corrupted;
    for (const part of limits.drip === undefined ? [piece] : cutUp(piece, limits.drip.bytes)) {
      meter.responseBytes += part.length;
      await writePart(outgoing, part);
      if (limits.drip !== undefined) await sleep(limits.drip.everyMs);
    }
    left -= piece.length;
    if (left === 0 || outgoing.destroyed) break;
  }
  if (limits.end === 'stall') await untilClosed(outgoing);
  // Ended, not reset: a reset may take away bytes that the client has not read yet.
  else if (limits.end === 'cut') (await connectionOf(outgoing))?.destroySoon();
  else outgoing.end();
}

async function writePart(outgoing: ServerResponse, part: Uint8Array): Promise<void> {
  if (part.length === 0 || outgoing.destroyed || outgoing.write(part)) return;
  await new Promise<void>((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go);
      outgoing.off('close', go);
      resolve();
    };
    outgoing.on('drain', go);
    outgoing.on('close', go);
  });
}

function corrupt(piece: Uint8Array, at: number): Uint8Array {
  if (at < 0 || at >= piece.length) return piece;
  const wrong = piece.slice();
  wrong[at] = wrong[at]! ^ 1;
  return wrong;
}

function cutUp(piece: Uint8Array, size: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < piece.length; at += size) parts.push(piece.subarray(at, at + size));
  return parts;
}

/** The connection of an answer. It has none as long as the answer before it on the same connection is being put away. */
async function connectionOf(outgoing: ServerResponse): Promise<Socket | null> {
  if (outgoing.socket === null && !outgoing.destroyed) {
    await new Promise<void>((resolve) => {
      outgoing.once('socket', () => resolve());
      outgoing.once('close', () => resolve());
    });
  }
  return outgoing.socket;
}

async function untilClosed(outgoing: ServerResponse): Promise<void> {
  if (outgoing.destroyed) return;
  await new Promise<void>((resolve) => outgoing.once('close', () => resolve()));
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function* counted(
  body: AsyncIterable<Uint8Array>,
  meter: { requestBytes: number },
): AsyncGenerator<Uint8Array> {
  for await (const piece of body) {
    meter.requestBytes += piece.length;
    yield piece;
  }
}

async function drain(body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of body);
}

async function readAll(body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body) {
    size += piece.length;
    if (size > bytesMax) throw new RangeError(`a request of more than ${bytesMax} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Lets go of an answer that is not sent: a stored body stays as long as somebody may read it. */
async function discard(answer: SimResponse): Promise<void> {
  if (answer.body instanceof Uint8Array) return;
  await answer.body[Symbol.asyncIterator]().return?.();
}

function jsonOrNull(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
}

function listenError(error: unknown, port: number, host: string): unknown {
  const code = errnoOf(error);
  if (code !== 'EADDRINUSE' && code !== 'EACCES' && code !== 'EADDRNOTAVAIL') return error;
  const why = code === 'EADDRINUSE' ? 'is taken' : 'may not be used';
  return new TidelakeError(
    {
      code: 'USAGE',
      what: `port ${port} of ${host} ${why}`,
      meaning: 'nothing was started',
      next: 'name another port with --port; 0 takes any that is free',
    },
    { cause: error },
  );
}
