// Where signed requests may go.

import { describe, expect, it } from 'vitest';
import { checkAddress, endpointOf } from '../../pipeline/aws/endpoints.js';

const allowed = [
  'https://s3.eu-west-1.amazonaws.com',
  'https://minio.example.com:9000',
  'http://localhost:4566',
  'http://lake.localhost:4566',
  'http://127.0.0.1:9000',
  'http://127.9.9.9',
  'http://[::1]:9000',
  'http://[::ffff:127.0.0.1]:80',
];

const refused = [
  'http://s3.eu-west-1.amazonaws.com',
  'http://10.0.0.1:9000',
  'http://localhost.example.com',
  'http://127.0.0.1.example.com',
  'http://169.254.169.254',
  'https://169.254.169.254/latest',
  'https://169.254.170.2',
  // The same address as one number, in octal, in hex, and inside IPv6.
  'https://2852039166',
  'https://0251.0376.0251.0376',
  'https://0xa9fea9fe',
  'https://[::ffff:169.254.169.254]',
  'https://[::ffff:a9fe:a9fe]',
  'https://[fd00:ec2::254]',
  'https://[fe80::1]',
  'https://metadata.google.internal',
  'ftp://localhost',
  'file:///etc/passwd',
  'not a url',
];

describe('an endpoint', () => {
  it.each(allowed)('may be %s', (endpoint) => {
    expect(endpointOf('s3', endpoint, {})).toBe(endpoint);
  });

  it.each(refused)('may not be %s, by flag or environment', (endpoint) => {
    const usage = expect.objectContaining({ code: 'USAGE' });
    expect(() => endpointOf('s3', endpoint, {})).toThrow(usage);
    expect(() => endpointOf('s3', undefined, { AWS_ENDPOINT_URL: endpoint })).toThrow(usage);
    expect(() => endpointOf('glue', undefined, { AWS_ENDPOINT_URL_GLUE: endpoint })).toThrow(usage);
  });

  it('of the service goes before the one of all, and none is none', () => {
    const env = { AWS_ENDPOINT_URL: 'https://all', AWS_ENDPOINT_URL_S3: 'https://s3' };
    expect(endpointOf('s3', undefined, env)).toBe('https://s3');
    expect(endpointOf('glue', undefined, env)).toBe('https://all');
    expect(endpointOf('s3', 'https://given', env)).toBe('https://given');
    expect(endpointOf('s3', undefined, {})).toBeUndefined();
    expect(endpointOf('s3', undefined, { AWS_ENDPOINT_URL: '' })).toBeUndefined();
    const ignored = { ...env, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' };
    expect(endpointOf('s3', undefined, ignored)).toBeUndefined();
  });

  it('is looked at in the form that a request has', () => {
    expect(() => checkAddress('http:', '[::1]')).not.toThrow();
    expect(() => checkAddress('http:', '::1')).not.toThrow();
    expect(() => checkAddress('https:', 'lake.s3.eu-west-1.amazonaws.com.')).not.toThrow();
    expect(() => checkAddress('https:', '169.254.169.254.')).toThrow();
    expect(() => checkAddress('http:', 'lake.s3.eu-west-1.amazonaws.com')).toThrow();
  });
});
