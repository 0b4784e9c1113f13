// Which addresses requests to AWS may go to: AWS's own, or an endpoint named by flag or environment.
// Promises: a signed request never leaves in the clear except to this machine, and never goes to an address at which
// clouds hand out credentials, whatever a variable, a configuration file or a redirect says.
// Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints" (AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE>);
// Amazon EC2 User Guide, "Instance metadata" (169.254.169.254, fd00:ec2::254).

import { TidelakeError } from '../../schemas/errors.js';

/** Variables of a process, or a part of them. */
export type Environment = Readonly<Record<string, string | undefined>>;

export type ServiceName = 's3' | 'glue' | 'athena' | 'dynamodb' | 'sts';

/**
 * The endpoint named for a service: the given one, else AWS_ENDPOINT_URL_<SERVICE>, else AWS_ENDPOINT_URL, else
 * undefined: AWS's own. Throws USAGE for one that requests must not go to.
 */
export function endpointOf(
  service: ServiceName,
  given: string | undefined,
  env: Environment,
): string | undefined {
  const isIgnored = env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true';
  const named = isIgnored
    ? undefined
    : env[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || env.AWS_ENDPOINT_URL;
  const endpoint = given ?? (named === '' ? undefined : named);
  if (endpoint === undefined) return undefined;
  let url: URL;
  try {
    url = new URL(endpoint);
  } catch {
    throw refused('an endpoint that is no URL was named');
  }
  checkAddress(url.protocol, url.hostname);
  return endpoint;
}

/**
 * Checks where a request is about to go. `protocol` is `http:` or `https:`, `hostname` as URLs have it, IPv6 in brackets
 * or not. Throws USAGE.
 */
export function checkAddress(protocol: string, hostname: string): void {
  const host = canonicalHost(hostname);
  if (isMetadata(host)) throw refused(`${hostname} is where machines get credentials, not AWS`);
  if (protocol === 'https:') return;
  if (protocol === 'http:' && isLoopback(host)) return;
  throw refused(`the endpoint ${protocol}//${hostname} is neither https nor on this machine`);
}

/** A host in one spelling: numbers as a browser reads them (`2852039166` is an address too), no final dot. */
function canonicalHost(hostname: string): string {
  const bare = hostname.toLowerCase().replace(/^\[|\]$/g, '');
  const inUrl = bare.includes(':') ? `[${bare}]` : bare;
  try {
    return new URL(`http://${inUrl}/`).hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  } catch {
    throw refused('an endpoint with no possible host was named');
  }
}

/** The IPv4 address inside an IPv6 one such as ::ffff:a9fe:a9fe, or the host as it is. */
function embedded(host: string): string {
  const found = /^(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(host);
  if (found === null) return host;
  const [high, low] = [Number.parseInt(found[1]!, 16), Number.parseInt(found[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    host === '::1' ||
    /^127\.\d+\.\d+\.\d+$/.test(embedded(host))
  );
}

/** Link-local addresses, and the names that clouds give to their metadata services. */
function isMetadata(host: string): boolean {
  return (
    /^169\.254\./.test(embedded(host)) ||
    /^fe[89ab][0-9a-f]:/.test(host) ||
    /^fd00:ec2:/.test(host) ||
    host === 'instance-data' ||
    host === 'metadata.google.internal'
  );
}

function refused(what: string): TidelakeError {
  return new TidelakeError({
    code: 'USAGE',
    what,
    meaning: 'requests are signed with your credentials, so nothing was sent',
    next: 'correct AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> or endpoint_url in the AWS configuration; http is for this machine only',
  });
}
