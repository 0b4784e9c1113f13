// The store of a run: files of this machine and objects in S3, behind one interface.
// Promises: AWS's code is loaded when the first s3:// place is met; worker threads make the same store from the options.
// Spec: pipeline/local/worker.ts, StoreModule.

import type { AwsClients, AwsOptions } from '../aws/clients.js';
import { DiskStore } from '../local/disk-store.js';
import { RoutedStore } from '../local/routed-store.js';
import type { ObjectStore } from '../ports.js';

/** What a store is made from; plain values. */
export interface StoreOptions {
  readonly aws: AwsOptions;
}

/** The clients of a run, made when they are first asked for, and once. */
export function lazyClients(options: AwsOptions): () => Promise<AwsClients> {
  let clients: Promise<AwsClients> | null = null;
  return () => {
    clients ??= import('../aws/clients.js').then(({ createAwsClients }) =>
      createAwsClients(options),
    );
    return clients;
  };
}

/** Opens the store. `clients` are those of the run, where it has some already. */
export function openStore(
  { aws }: StoreOptions,
  clients: () => Promise<AwsClients> = lazyClients(aws),
): ObjectStore {
  const s3 = async (): Promise<ObjectStore> => {
    const { S3Store } = await import('../aws/s3-store.js');
    const { expectedBucketOwner } = aws;
    return new S3Store({
      client: async () => (await clients()).s3(),
      ...(expectedBucketOwner === undefined ? {} : { expectedBucketOwner }),
    });
  };
  return new RoutedStore({ file: async () => new DiskStore(), s3, s3a: s3, s3n: s3 });
}
