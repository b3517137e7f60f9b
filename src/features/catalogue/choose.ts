// A catalogue by its name, fitted to the data.
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../definition.ts';
import { cardsCatalogue } from './cards.ts';
import { catalogueFor, defaultCatalogue } from './catalogue.ts';
import { handbookCatalogue } from './handbook.ts';

const CATALOGUES: Readonly<Record<string, readonly FeatureDefinition[]>> = {
  default: defaultCatalogue,
  cards: cardsCatalogue,
  handbook: handbookCatalogue,
};

/** Names of the catalogues, the default first. */
export const CATALOGUE_NAMES: readonly string[] = Object.keys(CATALOGUES);

/** @throws RangeError for a catalogue that does not exist; the message lists those that do. */
export function definitionsFor(name: string, fieldsPresent: ReadonlySet<keyof Transaction>): FeatureDefinition[] {
  return catalogueFor(fieldsPresent, catalogueNamed(name));
}

/** All features of the catalogue, whatever fields the data has. */
export function catalogueNamed(name: string): readonly FeatureDefinition[] {
  const catalogue = CATALOGUES[name];
  if (catalogue === undefined) {
    throw new RangeError(`no catalogue named ${name}: there are ${Object.keys(CATALOGUES).join(', ')}`);
  }
  return catalogue;
}
