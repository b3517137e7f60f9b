// Where models, checkpoints and other objects are: a folder, or a bucket (`s3://bucket/prefix`).
//
// Of a bucket the environment tells the rest, in the variables that other programs for S3 read too: keys never stand on the
// command line.
import { createFolderObjectStore } from '../adapters/files/folder-object-store.ts';
import { createS3ObjectStore, type S3ObjectStore } from '../adapters/s3/s3-object-store.ts';
import { readVariable } from '../config/environment.ts';
import { InputError } from '../lib/errors.ts';
import type { ObjectStore } from '../ports.ts';

const BUCKET = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/;
const DEFAULT_REGION = 'us-east-1';

/**
 * @param place a folder, or s3://bucket/prefix
 * @throws InputError where the place is no such, or the environment has no keys for it
 */
export function openObjectStore(place: string): ObjectStore {
  return isFolder(place) ? createFolderObjectStore(place) : openBucket(place);
}

/**
 * The same, once it is known that it can be written to: what writes later and beside other work would be heard of late.
 *
 * @throws InputError where it cannot be; StoreUnavailableError where it does not answer
 */
export async function openReadyObjectStore(place: string): Promise<ObjectStore> {
  if (isFolder(place)) return createFolderObjectStore(place);
  const store = openBucket(place);
  await store.probe();
  return store;
}

function isFolder(place: string): boolean {
  return !/^[a-z][a-z0-9+.-]+:\/\//i.test(place);
}

function openBucket(place: string): S3ObjectStore {
  const [, bucket, prefix = ''] = BUCKET.exec(place) ?? [];
  if (bucket === undefined) {
    throw new InputError('STORE_PLACE', `${place} is no place for objects`, 'Give a folder, or s3://bucket/prefix');
  }
  return createS3ObjectStore({
    ...{ bucket, prefix },
    endpoint: endpointOf(),
    region: readVariable('AWS_REGION') ?? readVariable('AWS_DEFAULT_REGION') ?? DEFAULT_REGION,
    accessKeyId: keyOf('AWS_ACCESS_KEY_ID', place),
    secretAccessKey: keyOf('AWS_SECRET_ACCESS_KEY', place),
    sessionToken: readVariable('AWS_SESSION_TOKEN'),
  });
}

function keyOf(variable: string, place: string): string {
  const value = readVariable(variable);
  if (value !== null) return value;
  throw new InputError('S3_NO_KEY', `${place} needs a key, and ${variable} is not set`, `Set ${variable}`);
}

function endpointOf(): string | null {
  const endpoint = readVariable('AWS_ENDPOINT_URL_S3') ?? readVariable('AWS_ENDPOINT_URL');
  if (endpoint === null || /^https?:\/\/[^/]+\/?$/.test(endpoint)) return endpoint;
  throw new InputError(
    'S3_ENDPOINT',
    `${endpoint} is no address of a store`,
    'Set AWS_ENDPOINT_URL_S3 to https://host:port',
  );
}
