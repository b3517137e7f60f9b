import { InputError } from '../../lib/errors.ts';
import type { MappingFile } from './mapping-file.ts';
import type { RowSource } from './row-block.ts';
export async function guessMapping(path: string, _source: RowSource): Promise<MappingFile> {
  throw new InputError('MAPPING_NEEDED', `${path} needs a mapping`, 'Give --mapping');
}
