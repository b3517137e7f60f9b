// The look of what systems post by themselves: pay, settlements, invoices in files, disbursements, taxes, adjustments.
import type { Draft } from './draft.ts';
import { KIND, type Kind, type Party } from './plan.ts';

/** @param number the operation's number, from which an invoice's is made */
export function dressBatch(draft: Draft, kind: Kind, payer: Party, number: number): void {
  draft.channel = 'batch';
  const isInternal = draft.payerAccount?.slice(0, 3) === draft.payeeAccount?.slice(0, 3);
  draft.rail = isInternal ? 'internal' : 'cce-deferred';
  switch (kind) {
    case KIND.payroll:
      draft.operation = 'payroll';
      draft.concept = 'HABERES';
      return;
    case KIND.pension:
      draft.operation = 'payroll';
      draft.concept = 'PENSION';
      return;
    case KIND.severance:
      draft.operation = 'payroll';
      draft.concept = 'CTS';
      return;
    case KIND.settlement:
      draft.concept = 'LIQUIDACION VENTAS';
      return;
    case KIND.supplierBatch:
      draft.concept = `FACTURA F001-${(number % 89_989) + 10_000}`;
      return;
    case KIND.loanDisbursement:
      draft.operation = 'loan-disbursement';
      draft.rail = 'internal';
      draft.channel = 'app';
      return;
    case KIND.transactionTax:
      draft.operation = 'tax';
      draft.rail = 'internal';
      draft.concept = 'ITF';
      return;
    case KIND.fee:
      draft.operation = 'fee';
      draft.rail = 'internal';
      return;
    case KIND.reversal:
      draft.operation = 'reversal';
      return;
    default:
      draft.rail = 'internal';
      draft.channel = payer >= 0 ? 'branch' : 'batch';
  }
}
