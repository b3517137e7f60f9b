// Lists as the service keeps them: sealed whole, history and rows of imports.
import type { ObjectStore } from '../../ports.ts';
import { type ListBook, openListBook } from '../../registry/list-book.ts';
import { rememberedObjects } from '../../registry/remembered-objects.ts';
import { sealedObjects } from './sealed-objects.ts';
import type { OwnSealing } from './sealing.ts';

/** @param store the registry @param remembers as of `openHistory` */
export function listBookOf(
  { store }: { readonly store: ObjectStore },
  sealing: OwnSealing,
  remembers: boolean,
): ListBook {
  const sealed = sealedObjects(store, sealing);
  return openListBook(remembers ? rememberedObjects(sealed) : sealed, remembers);
}
