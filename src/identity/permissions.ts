// Who may do what: permissions by resource and action, and the roles that have them.
//
// A role is what somebody's work asks for and no more (ISO/IEC 27001 A.5.15, PCI DSS 7.2). Whoever administers accounts
// does not see customers; who works cases does not change rules; who audits changes nothing. What takes two people (rules,
// closing a case as no fraud, erasing a customer) has one permission for each of them, and the same person is refused where
// the second step is taken.

/** In the order in which they are shown. */
export const ROLES = [
  'operations-manager',
  'fraud-analyst',
  'compliance-officer',
  'data-scientist',
  'ml-engineer',
  'data-analyst',
  'auditor',
  'administrator',
] as const;

export type Role = (typeof ROLES)[number];

export const PERMISSIONS = [
  /** Have a transaction decided. */
  'transactions:score',
  'decisions:read',
  'alerts:read',
  /** Assign, note, attach, decide. */
  'alerts:work',
  'cases:read',
  'cases:work',
  /** The second pair of eyes on a close. */
  'cases:approve',
  /** Queues, service levels, reassigning others' work. */
  'cases:manage',
  /** What compliance alone knows: suspicious-operation reports (no tipping-off, Res. SBS 2660-2015). */
  'cases:confidential',
  'labels:read',
  'labels:write',
  'rules:read',
  'rules:propose',
  'rules:approve',
  'lists:read',
  'lists:write',
  'models:read',
  'models:manage',
  'replays:read',
  'replays:run',
  /** Names, documents, accounts in clear; every view is in the audit. */
  'personal-data:read',
  /** What is kept of a customer, for the customer. */
  'personal-data:export',
  'personal-data:erase',
  'personal-data:approve-erasure',
  'legal-holds:manage',
  'audit:read',
  'notifications:read',
  'notifications:manage',
  'settings:read',
  'settings:manage',
  'users:read',
  'users:manage',
  'api-keys:manage',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

const READS: readonly Permission[] = [
  ...['decisions:read', 'alerts:read', 'cases:read', 'labels:read', 'rules:read', 'lists:read'],
  ...['models:read', 'replays:read', 'notifications:read', 'settings:read'],
] as Permission[];

export const PERMISSIONS_OF: Readonly<Record<Role, readonly Permission[]>> = {
  'operations-manager': [
    ...READS,
    ...(['alerts:work', 'cases:work', 'cases:approve', 'cases:manage', 'labels:write', 'rules:propose'] as const),
    ...(['rules:approve', 'lists:write', 'replays:run', 'personal-data:read', 'notifications:manage'] as const),
    ...(['settings:manage', 'users:read'] as const),
  ],
  'fraud-analyst': [
    ...READS,
    ...(['alerts:work', 'cases:work', 'labels:write', 'rules:propose', 'lists:write', 'replays:run'] as const),
    'personal-data:read',
  ],
  'compliance-officer': [
    ...READS,
    ...(['alerts:work', 'cases:work', 'cases:approve', 'cases:confidential', 'rules:approve', 'audit:read'] as const),
    ...([
      'personal-data:read',
      'personal-data:export',
      'personal-data:erase',
      'personal-data:approve-erasure',
    ] as const),
    ...(['legal-holds:manage', 'lists:write', 'users:read'] as const),
  ],
  'data-scientist': [...READS, 'rules:propose', 'models:manage', 'replays:run', 'labels:write'],
  'ml-engineer': [...READS, 'models:manage', 'replays:run', 'transactions:score'],
  'data-analyst': READS,
  auditor: [...READS, 'audit:read', 'users:read'],
  administrator: [
    ...(['settings:read', 'settings:manage', 'users:read', 'users:manage', 'api-keys:manage'] as const),
    ...(['notifications:read', 'notifications:manage'] as const),
  ],
};

/** All that several roles may do together. */
export function permissionsOf(roles: readonly Role[]): ReadonlySet<Permission> {
  return new Set(roles.flatMap((role) => PERMISSIONS_OF[role]));
}

export function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text);
}

export function isPermission(text: string): text is Permission {
  return (PERMISSIONS as readonly string[]).includes(text);
}
