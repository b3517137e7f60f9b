// Certificates for tests: authorities of our own, and what they sign.
import 'reflect-metadata';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
export const DAY_MS = 86_400_000;

export interface Pair {
  readonly certificate: x509.X509Certificate;
  readonly keys: CryptoKeyPair;
  readonly cert: string;
  readonly key: string;
}

type CryptoKeyPair = Awaited<ReturnType<typeof newKeys>>;

async function newKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

export async function issue(
  subject: string,
  issuer: Pair | null,
  names: x509.JsonGeneralNames = [],
  untilMs = Date.now() + DAY_MS,
): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...{
      subject,
      issuer: issuer?.certificate.subject ?? subject,
      publicKey: keys.publicKey,
      signingAlgorithm: ALGORITHM,
    },
    ...{
      signingKey: (issuer?.keys ?? keys).privateKey,
      notBefore: new Date(untilMs - 10 * DAY_MS),
      notAfter: new Date(untilMs),
    },
    extensions: [
      new x509.BasicConstraintsExtension(issuer === null, undefined, true),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  const key = x509.PemConverter.encode(await crypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { certificate, keys, cert: certificate.toString('pem'), key };
}
