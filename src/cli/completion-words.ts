/** Words of `dbguard completions`, for the command table and for the scripts. */

/** That there are completions for. */
export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/** What `--values` takes. */
export const liveLists = ['connections', 'sessions', 'logins', 'questions'] as const;
export type LiveValues = (typeof liveLists)[number];
