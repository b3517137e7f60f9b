// Compliance's files of cases: told of by anybody who works on one, known to those alone who may (no tipping-off, Res. SBS
// 2660-2015).
import Type from 'typebox';
import { COMPLIANCE_STATES } from '../../alerts/case-life.ts';
import { Reason } from './alerts.ts';
import { Id, nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const FILE_STEPS = ['qualify', 'report', 'discard', 'resume'] as const;

export const FileSchema = Type.Object(
  {
    id: Type.String(),
    caseId: Type.String(),
    state: oneOf(COMPLIANCE_STATES),
    referredMs: TimeMs,
    qualifiedMs: nullable(TimeMs),
    rosDueMs: nullable(TimeMs),
    reportedMs: nullable(TimeMs),
    rosNumber: nullable(Type.String()),
    discardedMs: nullable(TimeMs),
    version: Type.Integer(),
  },
  { description: "compliance's, for those alone who may know of it" },
);

export const COMPLIANCE_ENDPOINTS = {
  referCase: endpoint({
    ...{ method: 'POST', path: '/v1/cases/:caseId/referral', tag: 'cases', access: 'cases:work', does: 'change' },
    summary: {
      es: 'Informar al oficial de cumplimiento; no se dice qué resulta',
      en: 'Tell compliance; what comes of it is not told',
    },
    params: Type.Object({ caseId: Id }),
    body: Type.Object({ reason: Reason }, { additionalProperties: false }),
    answer: null,
    status: 202,
  }),
  listFiles: endpoint({
    ...{ method: 'GET', path: '/v1/compliance-files', tag: 'cases', access: 'cases:confidential', does: 'read' },
    summary: { es: 'Expedientes de cumplimiento', en: "Compliance's files" },
    query: Type.Object({ ...pageQuery, state: Type.Optional(oneOf(COMPLIANCE_STATES)) }),
    answer: pageOf(FileSchema),
  }),
  stepFile: endpoint({
    ...{
      method: 'POST',
      path: '/v1/compliance-files/:fileId/steps',
      tag: 'cases',
      access: 'cases:confidential',
      does: 'change',
    },
    summary: {
      es: 'Calificar como sospechosa, reportar (ROS), descartar o retomar; lo aprueba otra persona',
      en: 'Qualify as suspicious, report, discard or resume; another person approves',
    },
    params: Type.Object({ fileId: Id }),
    body: Type.Object(
      { step: oneOf(FILE_STEPS), reason: Reason, rosNumber: Type.Optional(nullable(Type.String({ maxLength: 40 }))) },
      { additionalProperties: false },
    ),
    answer: Type.Object({ requestId: Type.String() }),
  }),
};
