/** Forms of events, by name: known to the command table, which loads nothing else of them. */
export const eventFormats = ['json', 'ocsf', 'syslog'] as const;
export type EventFormat = (typeof eventFormats)[number];
