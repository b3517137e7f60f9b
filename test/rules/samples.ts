// A rule as YAML, with what a test wants changed.

export interface SampleRule {
  readonly id?: string;
  readonly version?: number;
  readonly mode?: string;
  readonly when?: string;
}

export function ruleYaml({ id = 'great-amount', version = 1, mode = 'live', when = 'amount > 3000' }: SampleRule = {}) {
  return `  - id: ${id}
    version: ${version}
    name: { es: Prueba, en: Test }
    owner: fraude
    severity: low
    reason: MONTO_REDONDO
    action: review
    mode: '${mode}'
    when: ${when}
`;
}

export function rulesYaml(...rules: readonly SampleRule[]): string {
  return `rules:\n${rules.map(ruleYaml).join('')}`;
}
