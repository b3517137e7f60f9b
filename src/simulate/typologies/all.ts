// Every fraud recipe. The place in this list selects a recipe's stream of random numbers: add new ones at the end.
import type { Recipe } from '../campaigns.ts';
import { ACCOUNT_TAKEOVER } from './account-takeover.ts';
import { CARDS } from './cards.ts';
import { EXTORTION_AND_SCAMS } from './extortion-and-scams.ts';
import { IDENTITY_AND_MERCHANTS } from './identity-and-merchants.ts';
import { INTERNAL_AND_PAYROLL } from './internal-and-payroll.ts';
import { MULES_AND_LAUNDERING } from './mules-and-laundering.ts';

export const RECIPES: readonly Recipe[] = [
  ...ACCOUNT_TAKEOVER,
  ...CARDS,
  ...MULES_AND_LAUNDERING,
  ...EXTORTION_AND_SCAMS,
  ...IDENTITY_AND_MERCHANTS,
  ...INTERNAL_AND_PAYROLL,
];
