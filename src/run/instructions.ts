/** For an agent whose statement nobody can approve. */
export const howToApprove =
  'Ask the person you work for to run "dbguard approvals" in another terminal, then try this statement once more.';

export const agentInstructionsTitle = '## Database access goes through dbguard';

/** What an agent should know of dbguard: for AGENTS.md, CLAUDE.md and their like. */
export const agentInstructions = `${agentInstructionsTitle}

The database of this session is reached through dbguard, a guard between you and PostgreSQL. Connect as usual: PGHOST,
PGPORT, PGUSER, PGPASSWORD, PGDATABASE and DATABASE_URL are set, and \`psql\` works without arguments. Do not look for
other credentials or hosts; everything you run is recorded and signed.

- Reads and ordinary changes by key run at once. Deleting or changing whole tables, DROP, TRUNCATE, ALTER, GRANT and the
  like wait for a person. You see: NOTICE: dbguard: waiting for a person to approve this statement.
- While it waits, wait. Do not cancel, do not open another connection, do not send the same statement again.
- "ERROR: dbguard: ... denied this statement: REASON" (SQLSTATE 42501) is a decision, not a fault. Read the reason and do
  what it says. Never work around it: no rewording, no splitting into smaller statements, no DO block, no function, no
  other tool. The same statement is refused without asking for a while.
- "nobody approved it in time": tell the person what you want to run and why, then try once more.
- "nobody can be asked": tell the person to run \`dbguard approvals\` in another terminal, then try once more. Do not run it
  yourself: dbguard refuses answers from you.
- Make approval easy: one statement at a time, names with their schema, a WHERE that says which rows, and a comment in front that
  says why: /* remove test orders of 2019, ticket 123 */ DELETE FROM shop.orders WHERE ...
- Values shown as masked are masked on purpose. Do not try to infer them.
`;
