// Which kinds of entities an engine keeps, and what each must keep for the features asked of it.
import type { FeatureDefinition } from './definition.ts';
import { EntityStore } from './entity-store.ts';
import { type FoldEvent, KINDS } from './event.ts';
import type { EngineLimits } from './limits.ts';
import { needsOtherRole } from './pass-through.ts';
import { compilePlan, type Request } from './plan.ts';
import { type EngineStage, stageHas } from './stage.ts';

/** Whether counting a distinct field needs the kind's entities to have slots. */
function isCountedAs(kind: string, field: string | null): boolean {
  return field === kind || (field === 'counterparty' && (kind === 'payee' || kind === 'terminal'));
}

/** Stores by kind; a kind that no feature needs, not even as a distinct value, has none. */
export function createStores(
  definitions: readonly FeatureDefinition[],
  limits: EngineLimits,
  event: FoldEvent,
  stage: EngineStage | null,
): (EntityStore | null)[] {
  const withHabit = definitions.some(
    ({ filter, field }) => filter === 'off-habit' || filter === 'habit' || field === 'off-habit',
  );
  return KINDS.map((kind) => {
    if (!stageHas(stage, kind)) return null;
    const requests: Request[] = [];
    definitions.forEach((definition, column) => {
      if (definition.entity === kind) requests.push({ definition, column });
      else if (needsOtherRole(definition, kind)) requests.push({ definition, column: -1 });
    });
    const isValue =
      stage === null &&
      definitions.some(({ aggregate, field }) => aggregate === 'distinct' && isCountedAs(kind, field));
    const habit = withHabit && kind === 'payer';
    if (requests.length === 0 && !isValue && !habit) return null;
    return new EntityStore(compilePlan(kind, requests, habit), limits, event);
  });
}
