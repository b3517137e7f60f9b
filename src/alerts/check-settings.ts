// Whether settings of alerts and cases make sense together: what no single field's bounds can say.
import { InputError } from '../lib/errors.ts';
import type { AlertSettings } from './settings.ts';
import { SEVERITIES } from './severity.ts';
import { isTypology } from './typology.ts';

const LEAST_OPEN_MINUTES = 60;

/** @throws InputError SETTINGS_INVALID that names the first field that does not fit */
export function checkAlertSettings({ grouping, severity, levels, queues }: AlertSettings): void {
  inOrder('grouping.cooldownMs', grouping.cooldownMs, 'grouping.mostCooldownMs', grouping.mostCooldownMs);
  for (const name of ['leastCustomersOfDevice', 'leastCustomersOfPayee', 'leastCustomersOfIp'] as const) {
    inOrder(`grouping.${name}`, grouping[name], 'grouping.mostCustomersOfLink', grouping.mostCustomersOfLink);
  }
  inOrder('severity.highRisk', severity.highRisk, 'severity.veryHighRisk', severity.veryHighRisk);
  const { largeAmountMinor, veryLargeAmountMinor } = severity;
  inOrder('severity.largeAmountMinor', largeAmountMinor, 'severity.veryLargeAmountMinor', veryLargeAmountMinor);
  // Of shorter days a term would have thousands.
  inOrder(
    'levels.opensMinute + 60',
    levels.opensMinute + LEAST_OPEN_MINUTES,
    'levels.closesMinute',
    levels.closesMinute,
  );
  for (const each of SEVERITIES) {
    const { firstLookMs, decisionMs } = levels.bySeverity[each];
    const place = `levels.bySeverity.${each}`;
    inOrder(`${place}.firstLookMs`, firstLookMs, `${place}.decisionMs`, decisionMs);
  }
  checkQueues(queues);
}

function checkQueues(queues: AlertSettings['queues']): void {
  const ids = new Set(queues.map(({ id }) => id));
  if (ids.size < queues.length) throw invalid('Two queues have the same id', 'Give each its own');
  for (const { id, typologies = [] } of queues) {
    const unknown = typologies.find((typology) => !isTypology(typology));
    if (unknown !== undefined)
      throw invalid(`The queue ${id} names a typology that there is not`, 'Use F01–F20, E01–E15');
  }
  const { id, families, typologies, leastSeverity, leastSolesMinor } = queues[queues.length - 1];
  if ([families, typologies, leastSeverity, leastSolesMinor].some((condition) => condition !== undefined)) {
    throw invalid(
      `The last queue, ${id}, has conditions`,
      'It takes what no other does: put one without conditions last',
    );
  }
}

function inOrder(lowName: string, low: number, highName: string, high: number): void {
  if (low <= high) return;
  throw invalid(`${lowName} does not fit ${highName}`, `Make ${highName} the greater one`);
}

function invalid(what: string, hint: string): InputError {
  return new InputError('SETTINGS_INVALID', what, hint);
}
