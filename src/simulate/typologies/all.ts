// Every fraud recipe, in the order of the typologies' codes within a family.
import type { Recipe } from '../campaigns.ts';
import { ACCOUNT_TAKEOVER } from './account-takeover.ts';

export const RECIPES: readonly Recipe[] = [...ACCOUNT_TAKEOVER];
