/** Whose files may speak. Highest first; `user`: in the user's own folder, or named on the command line. */
export const levels = ['organisation', 'user', 'repository'] as const;
export type Level = (typeof levels)[number];
