// Clients of AWS: the one place that says region, credentials, endpoint, retries and timeouts.
// Promises: a client is loaded and made when it is first asked for, and once; keys are never taken from flags or
// configuration; no request goes where endpoints.ts forbids it.
// Source: AWS SDKs and Tools Reference Guide, "Settings reference"; AWS SDK for JavaScript v3, "Client configuration".

import type { AthenaClient } from '@aws-sdk/client-athena';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { GlueClient } from '@aws-sdk/client-glue';
import type { S3Client } from '@aws-sdk/client-s3';
import { awsTriesMax, connectMsMax, socketIdleMsMax, socketsMax } from '../../schemas/limits.js';
import { checkAddress, type Environment, endpointOf, type ServiceName } from './endpoints.js';

/** How AWS is reached. Plain values, so that worker threads can be told. */
export interface AwsOptions {
  /** Else AWS_REGION, AWS_DEFAULT_REGION, the profile's. */
  readonly region?: string;
  /** Profile of the shared configuration, else AWS_PROFILE. */
  readonly profile?: string;
  /** Role to assume with the credentials that are found. */
  readonly roleArn?: string;
  /** For all services; else AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, AWS's own. */
  readonly endpoint?: string;
  /** Account id that must own every bucket; S3 refuses the others. */
  readonly expectedBucketOwner?: string;
  /** Version of Tidelake, for the user agent. */
  readonly version?: string;
}

/** The clients, each made when first asked for. */
export interface AwsClients {
  s3(): Promise<S3Client>;
  glue(): Promise<GlueClient>;
  /** Glue without retries: for the call of a commit, whose lost answer must be seen, not repeated. */
  glueOnce(): Promise<GlueClient>;
  athena(): Promise<AthenaClient>;
  dynamodb(): Promise<DynamoDBClient>;
  /** DynamoDB without retries: the SDK takes "too many exports at once" for throttling, and would wait minutes for nothing. */
  dynamodbOnce(): Promise<DynamoDBClient>;
  /** Closes idle connections. */
  close(): void;
}

/** Clients by these options. Throws nothing; a forbidden endpoint is USAGE when its client is asked for. */
export function createAwsClients(options: AwsOptions, env: Environment = process.env): AwsClients {
  // The SDK's notice that its coming versions need a newer Node: ours is pinned, and stderr is for what matters.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
  const made: { destroy(): void }[] = [];
  const once = <C extends { destroy(): void }>(make: () => Promise<C>): (() => Promise<C>) => {
    let client: Promise<C> | null = null;
    return () => {
      client ??= make().then((one) => {
        made.push(one);
        return one;
      });
      return client;
    };
  };
  const glue = async (triesMax: number): Promise<GlueClient> => {
    const { GlueClient } = await import('@aws-sdk/client-glue');
    return guarded(new GlueClient(await configOf('glue', options, env, triesMax)));
  };
  const dynamodb = async (triesMax: number): Promise<DynamoDBClient> => {
    const { DynamoDBClient } = await import('@aws-sdk/client-dynamodb');
    return guarded(new DynamoDBClient(await configOf('dynamodb', options, env, triesMax)));
  };
  return {
    s3: once(async () => {
      const { S3Client } = await import('@aws-sdk/client-s3');
      const config = await configOf('s3', options, env);
      return guarded(new S3Client({ ...config, ...s3Config(config.endpoint !== undefined) }));
    }),
    glue: once(() => glue(awsTriesMax)),
    glueOnce: once(() => glue(1)),
    athena: once(async () => {
      const { AthenaClient } = await import('@aws-sdk/client-athena');
      return guarded(new AthenaClient(await configOf('athena', options, env)));
    }),
    dynamodb: once(() => dynamodb(awsTriesMax)),
    dynamodbOnce: once(() => dynamodb(1)),
    close: () => {
      for (const client of made.splice(0)) client.destroy();
    },
  };
}

/** What is particular to S3. */
function s3Config(isCustom: boolean) {
  return {
    // Endpoints that are not AWS's have no DNS names for buckets, and often no trailing checksums.
    forcePathStyle: isCustom,
    requestChecksumCalculation: isCustom ? ('WHEN_REQUIRED' as const) : ('WHEN_SUPPORTED' as const),
    // A body is read in resumed pieces, for which S3 keeps no checksum; TLS and the MD5s of exports cover the way.
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    followRegionRedirects: !isCustom,
  };
}

async function configOf(
  service: ServiceName,
  options: AwsOptions,
  env: Environment,
  triesMax: number = awsTriesMax,
) {
  const endpoint = endpointOf(service, options.endpoint, env);
  const common = commonConfig(options, env);
  const { roleArn } = options;
  return {
    ...common,
    retryMode: 'standard' as const,
    maxAttempts: triesMax,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(roleArn === undefined ? {} : { credentials: await assumed(roleArn, options, env) }),
  };
}

function commonConfig(options: AwsOptions, env: Environment) {
  // The SDK knows AWS_REGION only; AWS's other tools take AWS_DEFAULT_REGION too.
  const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  return {
    ...(region === undefined ? {} : { region }),
    ...(options.profile === undefined ? {} : { profile: options.profile }),
    customUserAgent: [['tidelake', options.version ?? '0']] as [string, string][],
    requestHandler: {
      connectionTimeout: connectMsMax,
      socketTimeout: socketIdleMsMax,
      httpAgent: { keepAlive: true, maxSockets: socketsMax },
      httpsAgent: { keepAlive: true, maxSockets: socketsMax },
    },
  };
}

/** Credentials of a role, taken with those that the chain finds, and renewed before they end. */
async function assumed(roleArn: string, options: AwsOptions, env: Environment) {
  const { fromTemporaryCredentials } = await import('@aws-sdk/credential-providers');
  const endpoint = endpointOf('sts', options.endpoint, env);
  return fromTemporaryCredentials({
    params: { RoleArn: roleArn, RoleSessionName: 'tidelake' },
    clientConfig: {
      ...commonConfig(options, env),
      ...(endpoint === undefined ? {} : { endpoint }),
    },
    clientPlugins: [{ applyToStack: (stack) => stack.add(guard, guardPlace) }],
  });
}

/** Where a request goes is known after `serialize`; it is signed after `build`. */
const guardPlace = { step: 'build', name: 'tidelakeGuardAddress' } as const;

/** Looks where each request goes, after the SDK has made up its mind: configuration files name endpoints as well. */
function guard<Args extends object, Output>(
  next: (args: Args) => Promise<Output>,
): (args: Args) => Promise<Output> {
  return (args) => {
    const { request } = args as { readonly request: { protocol: string; hostname: string } };
    checkAddress(request.protocol, request.hostname);
    return next(args);
  };
}

function guarded<C extends { middlewareStack: { add(m: never, place: typeof guardPlace): void } }>(
  client: C,
): C {
  client.middlewareStack.add(guard as never, guardPlace);
  return client;
}
