// The simulated S3 when its process dies: after every single change to its state in turn, it is started again and looked at.
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../pipeline/local/clock.js';
import { SeededIds } from '../../../pipeline/local/ids.js';
import { createS3Service } from '../../../pipeline/simulator/aws/s3-service.js';
import type { SimService } from '../../../pipeline/simulator/aws/service.js';
import { Crash, MemoryPorts } from './memory-ports.js';
import { someBytes } from './running.js';

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

async function ask(
  service: SimService,
  method: string,
  target: string,
  body: string | Uint8Array = '',
): Promise<Answer> {
  const [path, query] = target.split('?') as [string, string | undefined];
  const bytes = Buffer.from(body as string);
  const answer = await service.handle({
    method,
    path,
    query: new URLSearchParams(query ?? ''),
    headers: { 'content-length': String(bytes.length) },
    body: (async function* () {
      yield bytes;
    })(),
  });
  const pieces: Uint8Array[] = [];
  if (answer.body instanceof Uint8Array) pieces.push(answer.body);
  else for await (const piece of answer.body) pieces.push(piece);
  return { ...answer, text: Buffer.concat(pieces).toString('latin1') };
}

function open(ports: MemoryPorts): Promise<SimService> {
  return createS3Service({
    documents: ports.simDocuments,
    bodies: ports.simBodies,
    clock: new ManualClock(Date.UTC(2026, 10, 20)),
    ids: new SeededIds(1),
  });
}

const large = Buffer.from(someBytes(5 * 1024 * 1024)).toString('latin1');

/** Contents that /bkt/x and /bkt/y go through, and must be one of at any moment. */
const versions = {
  x: [null, 'one', 'two', `${large}end`, null],
  y: [null, `${large}end`, null],
};

/** All that changes state, one step after another; the returned number is of steps that were answered. */
async function story(service: SimService, answered: () => void): Promise<void> {
  const step = async (...request: [string, string, (string | Uint8Array)?]): Promise<Answer> => {
    const answer = await ask(service, ...request);
    expect(answer.status).toBeLessThan(300);
    answered();
    return answer;
  };
  await step('PUT', '/bkt');
  await step('PUT', '/bkt/x', 'one');
  await step('PUT', '/bkt/x', 'two');
  const started = await step('POST', '/bkt/x?uploads');
  const id = /<UploadId>(\w+)/.exec(started.text)![1]!;
  const etags: string[] = [];
  for (const [number, part] of [
    [1, 'replaced'],
    [1, large],
    [2, 'end'],
    [3, 'unused'],
  ] as const) {
    const sent = await step(
      'PUT',
      `/bkt/x?partNumber=${number}&uploadId=${id}`,
      Buffer.from(part, 'latin1'),
    );
    etags[number] = sent.headers.etag!;
  }
  const parts = [1, 2].map(
    (n) => `<Part><PartNumber>${n}</PartNumber><ETag>${etags[n]}</ETag></Part>`,
  );
  await step(
    'POST',
    `/bkt/x?uploadId=${id}`,
    `<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`,
  );
  const aborted = /<UploadId>(\w+)/.exec((await step('POST', '/bkt/z?uploads')).text)![1]!;
  await step('PUT', `/bkt/z?partNumber=1&uploadId=${aborted}`, 'gone');
  await step('DELETE', `/bkt/z?uploadId=${aborted}`);
  const copy = await service.handle({
    method: 'PUT',
    path: '/bkt/y',
    query: new URLSearchParams(),
    headers: { 'x-amz-copy-source': '/bkt/x' },
    body: (async function* () {})(),
  });
  expect(copy.status).toBe(200);
  answered();
  await step('DELETE', '/bkt/x');
  await step('DELETE', '/bkt/y');
  await step('DELETE', '/bkt');
}

/** The steps after which x and y have the next of their contents, counted from 1. */
const turns = { x: [2, 3, 9, 14], y: [13, 15] };
const stepCount = 16;

describe('the simulated S3', () => {
  it('is whole again after a crash at every change of its state', async () => {
    const counting = new MemoryPorts();
    let steps = 0;
    await story(await open(counting), () => {
      steps += 1;
    });
    expect(steps).toBe(stepCount);
    expect([counting.documents.size, counting.bodies.size]).toEqual([0, 0]);

    for (let changes = 0; changes < counting.changes; changes++) {
      const ports = new MemoryPorts();
      const service = await open(ports);
      ports.crashAfter(changes);
      let done = 0;
      const crashed = story(service, () => {
        done += 1;
      });
      await expect(crashed).rejects.toBeInstanceOf(Crash);
      ports.restart();
      const restarted = await open(ports);
      const where = `after ${changes} changes and ${done} steps`;

      if (done >= 1 && done < stepCount - 1) {
        expect((await ask(restarted, 'HEAD', '/bkt')).status, where).toBe(200);
      }
      for (const key of ['x', 'y'] as const) {
        const { status, text } = await ask(restarted, 'GET', `/bkt/${key}`);
        // What was answered has happened; what was under way has happened or not.
        const at = turns[key].filter((turn) => turn <= done).length;
        const isUnderWay = turns[key].includes(done + 1);
        const allowed = versions[key].slice(at, at + (isUnderWay ? 2 : 1));
        const found = status === 200 ? text : null;
        expect(allowed.includes(found), `${key} ${where}`).toBe(true);
      }
      const uploads = (await ask(restarted, 'GET', '/bkt?uploads')).text.match(/<Upload>/g) ?? [];
      const isUploading = (done >= 4 && done < 9) || (done >= 10 && done < 12);
      const mayUpload = isUploading || [3, 9].includes(done);
      expect(uploads.length, where).toBeLessThanOrEqual(mayUpload ? 1 : 0);
      if (isUploading && ![8, 11].includes(done)) expect(uploads.length, where).toBe(1);
      // An upload that became an object is over, or its abort would take the object's bytes away.
      const { text } = await ask(restarted, 'GET', '/bkt/x');
      if (done === 8 && text.length > large.length) expect(uploads.length, where).toBe(0);

      // Nothing is left over: each body is named by a document, and each name has its body.
      const named = [...ports.documents.values()].flatMap((text) =>
        [...text.matchAll(/body-\d+/g)].map((found) => found[0]),
      );
      expect([...ports.bodies.keys()].sort(), where).toEqual([...new Set(named)].sort());
    }
  });
});
