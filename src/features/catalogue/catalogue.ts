// The default catalogue, and how it is fitted to the fields that the data has.
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../definition.ts';
import { handbookCatalogue } from './handbook.ts';
import { hasInputs } from './inputs.ts';

/** Every feature, for any bank's data. */
export const defaultCatalogue: readonly FeatureDefinition[] = handbookCatalogue;

/** The features of a catalogue whose inputs are among the fields that the data has. */
export function catalogueFor(
  fieldsPresent: ReadonlySet<keyof Transaction>,
  from: readonly FeatureDefinition[] = defaultCatalogue,
): FeatureDefinition[] {
  return from.filter((definition) => hasInputs(definition, fieldsPresent));
}
