// Clients of a simulator of AWS on this machine: its endpoint, and credentials that nobody verifies.
// Promises: never used for AWS itself. Source: pipeline/local/simulator-server.ts.

import type { GlueClient } from '@aws-sdk/client-glue';
import type { S3Client } from '@aws-sdk/client-s3';

export interface SimulatedClients {
  s3(): Promise<S3Client>;
  glue(): Promise<GlueClient>;
  glueOnce(): Promise<GlueClient>;
  close(): void;
}

/** Clients of the simulator at a URL, made when they are first asked for. */
export function simulatedClients(url: () => string): SimulatedClients {
  const common = () => ({
    endpoint: url(),
    region: 'eu-west-1',
    credentials: { accessKeyId: 'simulator', secretAccessKey: 'simulator' },
  });
  let s3: S3Client | null = null;
  let glue: GlueClient | null = null;
  const glueClient = async (): Promise<GlueClient> => {
    const sdk = await import('@aws-sdk/client-glue');
    glue ??= new sdk.GlueClient(common());
    return glue;
  };
  return {
    glue: glueClient,
    glueOnce: glueClient,
    async s3() {
      const sdk = await import('@aws-sdk/client-s3');
      s3 ??= new sdk.S3Client({ ...common(), forcePathStyle: true });
      return s3;
    },
    close() {
      s3?.destroy();
      glue?.destroy();
    },
  };
}
