// Programs that show a certificate instead of a key (mutual TLS): which of them a certificate stands for.
//
// TLS has checked that it is signed by one of the bank's authorities and is in force, and that the other side has its key;
// `isAuthorized` says so. Here a mapping names who it is: all that an entry asks for must be there, exactly. Names with
// wildcards, subjects that say the same thing twice and certificates that fit two entries stand for nobody.
import type { PeerCertificate } from 'node:tls';
import { InputError } from '../lib/errors.ts';
import { NEVER_FOR_KEYS } from './api-keys.ts';
import { isPermission, type Permission } from './permissions.ts';
import type { Principal } from './principal.ts';

export interface ClientCertificate {
  /** Subject's attributes by their short names, those that occur once: CN, O, OU. */
  readonly subject: Readonly<Record<string, string>>;
  /** Subject alternative names: `DNS:…`, `URI:spiffe://…`, `email:…`. */
  readonly alternativeNames: readonly string[];
  /** SHA-256 of the certificate, lower case hexadecimal. */
  readonly fingerprint: string;
  /** When it runs out, ms UTC: a connection may outlive it. */
  readonly untilMs: number;
}

export interface CertificateMapping {
  readonly id: string;
  readonly name: string;
  readonly permissions: readonly Permission[];
  /** All that are given; at least one. */
  readonly match: {
    readonly subject?: Readonly<Record<string, string>>;
    readonly alternativeName?: string;
    readonly fingerprint?: string;
  };
}

const MOST_NAMES = 100;

/** @throws InputError with code `CERTIFICATE_MAPPING_INVALID` */
export function checkCertificateMappings(mappings: readonly CertificateMapping[]): readonly CertificateMapping[] {
  const ids = new Set<string>();
  for (const { id, permissions, match } of mappings) {
    const where = `Certificate mapping '${id}'`;
    if (ids.has(id)) throw invalidMapping(`${where} is there twice`, 'Give each an id of its own');
    ids.add(id);
    const asks = [...Object.values(match.subject ?? {}), match.alternativeName, match.fingerprint].filter(Boolean);
    if (asks.length === 0) throw invalidMapping(`${where} would fit every certificate`, 'Say what must be in it');
    const refused = permissions.find((each) => !isPermission(each) || NEVER_FOR_KEYS.includes(each));
    if (refused !== undefined) throw invalidMapping(`${where} may not have '${refused}'`, 'Leave it to people');
  }
  return mappings;
}

function invalidMapping(problem: string, hint: string): InputError {
  return new InputError('CERTIFICATE_MAPPING_INVALID', problem, hint);
}

/**
 * @param isAuthorized `TLSSocket.authorized`
 * @param peer `TLSSocket.getPeerCertificate()`
 * @returns null where nothing was shown, or what was shown does not hold
 */
export function readClientCertificate(isAuthorized: boolean, peer: PeerCertificate): ClientCertificate | null {
  // Without a certificate Node gives an empty object.
  if (!isAuthorized || typeof peer?.fingerprint256 !== 'string') return null;
  const subject: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(peer.subject ?? {})) {
    if (typeof value === 'string') subject[name] = value;
  }
  const fingerprint = peer.fingerprint256.replaceAll(':', '').toLowerCase();
  const alternativeNames = splitAlternativeNames(peer.subjectaltname ?? '');
  return { subject, alternativeNames, fingerprint, untilMs: Date.parse(peer.valid_to) };
}

/**
 * Node writes `DNS:a.example, URI:"spiffe://x, DNS:b.example"`: a name with a comma or a quote in it is a JSON string
 * (CVE-2021-44532). Whatever cannot be read ends the list.
 */
export function splitAlternativeNames(text: string): readonly string[] {
  const names: string[] = [];
  const pattern = /([A-Za-z ]+):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, |$)/y;
  while (pattern.lastIndex < text.length && names.length < MOST_NAMES) {
    const match = pattern.exec(text);
    if (match === null) break;
    const [, kind, quoted, plain] = match;
    try {
      names.push(`${kind}:${quoted === undefined ? plain : (JSON.parse(quoted) as string)}`);
    } catch {
      break;
    }
  }
  return names;
}

/** Who a certificate stands for; null where it is nobody, or where it could be two. */
export function certificatePrincipal(
  certificate: ClientCertificate,
  mappings: readonly CertificateMapping[],
): Principal | null {
  const fitting = mappings.filter(({ match }) => fits(certificate, match));
  if (fitting.length !== 1) return null;
  const [{ id, name, permissions }] = fitting;
  return { kind: 'api-key', id: `certificate:${id}`, name, roles: [], permissions: new Set(permissions) };
}

function fits(certificate: ClientCertificate, match: CertificateMapping['match']): boolean {
  const { subject = {}, alternativeName, fingerprint } = match;
  const isSubject = Object.entries(subject).every(([name, value]) => certificate.subject[name] === value);
  const isNamed = alternativeName === undefined || certificate.alternativeNames.includes(alternativeName);
  const isThisOne =
    fingerprint === undefined || certificate.fingerprint === fingerprint.replaceAll(':', '').toLowerCase();
  return isSubject && isNamed && isThisOne;
}
