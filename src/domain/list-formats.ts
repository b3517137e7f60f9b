// The forms in which lists come: what a team keeps, what OFAC publishes, and XML of OFAC and of the UN.

export const LIST_FORMATS = ['csv', 'ofac-csv', 'xml'] as const;
export type ListFormat = (typeof LIST_FORMATS)[number];
