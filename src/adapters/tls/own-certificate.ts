// A certificate of our own for where none is given: the embedded profile speaks TLS from its first start, too.
//
// Self-signed, so that clients have to be told to trust it (its file, or its fingerprint, which is told at start). For
// more than a trial an authority's certificate is given with --tls-cert and --tls-key. Renewed a month before it ends.
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { X509CertificateGenerator } from '@peculiar/x509';

export interface OwnCertificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** SHA-256, in pairs of hexadecimal digits. */
  readonly fingerprint: string;
  readonly file: string;
}

const DAYS = 397;
const RENEW_DAYS = 30;
const DAY_MS = 86_400_000;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * The one in the folder, or a new one.
 *
 * @param names DNS names and IP addresses that clients call it by
 */
export async function ownCertificate(folder: string, names: readonly string[], nowMs: number): Promise<OwnCertificate> {
  const file = join(folder, 'own-certificate.pem');
  const kept = await readKept(folder, names, nowMs);
  if (kept !== null) return { ...kept, file };
  const made = await make(names, nowMs);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await write(join(folder, 'own-key.pem'), made.key, 0o600);
  await write(file, made.cert, 0o644);
  return { ...made, file, fingerprint: new X509Certificate(made.cert).fingerprint256 };
}

async function readKept(
  folder: string,
  names: readonly string[],
  nowMs: number,
): Promise<Omit<OwnCertificate, 'file'> | null> {
  try {
    const [key, cert] = await Promise.all([
      readFile(join(folder, 'own-key.pem'), 'utf8'),
      readFile(join(folder, 'own-certificate.pem'), 'utf8'),
    ]);
    const certificate = new X509Certificate(cert);
    const isLongEnough = Date.parse(certificate.validTo) - nowMs > RENEW_DAYS * DAY_MS;
    const isForAll = names.every(
      (name) => (isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined,
    );
    return isLongEnough && isForAll ? { key, cert, fingerprint: certificate.fingerprint256 } : null;
  } catch {
    // Missing or unreadable: it is made anew, and clients see by the fingerprint that it is another one.
    return null;
  }
}

async function make(names: readonly string[], nowMs: number): Promise<Pick<OwnCertificate, 'key' | 'cert'>> {
  // Loaded when one has to be made: two hundred modules for once a year.
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=Centinela',
    notBefore: new Date(nowMs - DAY_MS),
    notAfter: new Date(nowMs + DAYS * DAY_MS),
    keys: keys as Parameters<typeof X509CertificateGenerator.createSelfSigned>[0]['keys'],
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign, true),
      new x509.SubjectAlternativeNameExtension(
        names.map((name) => ({ type: isAddress(name) ? ('ip' as const) : ('dns' as const), value: name })),
      ),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
  return { key, cert: `${certificate.toString('pem')}\n` };
}

function isAddress(name: string): boolean {
  return /^[0-9.]+$/.test(name) || name.includes(':');
}

async function write(path: string, text: string, mode: number): Promise<void> {
  const temporary = `${path}.new`;
  const file = await open(temporary, 'w', mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await chmod(temporary, mode);
  await rename(temporary, path);
}
