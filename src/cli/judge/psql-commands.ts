/**
 * What psql's backslash commands do to a file of SQL ("Meta-Commands" in the manual's page of psql): which change nothing
 * that a policy could judge, which send the statement before them, and which run what is not in the file.
 */

export type PsqlEffect =
  /** Output, variables, branches, descriptions of the catalog. */
  | { readonly kind: 'nothing' }
  /** Sends the statement before it, or throws it away: either way a new one begins behind it. */
  | { readonly kind: 'ends' }
  /** Reads a file in place: `\i`, or with `relative` `\ir`, whose file lies beside the one that names it. */
  | { readonly kind: 'include'; readonly relative: boolean }
  /** Runs or reads what is not in the file: `why` is a sentence for people. */
  | { readonly kind: 'unread'; readonly why: string };

const nothing = words(`
  ? a bind bind_named C c close_prepared conninfo connect copyright dconfig dconfig+ echo elif else encoding endif
  endpipeline errverbose f flush flushrequest getenv getresults H h help html if l l+ l+x lx lo_list lo_list+ o out p
  print prompt pset q qecho quit restrict s set setenv sf sf+ startpipeline sv sv+ syncpipeline t T timing unrestrict
  unset w warn write x z z+ zS zx
`);
const ends = words('crosstabview g gdesc gset gx parse r reset sendpipeline watch');

const unread = new Map<string, string>([
  ['gexec', 'Every value that the query returns is run as a statement, and the file does not say which they are.'],
  ['copy', 'It moves rows between a table and a file or program of the client, outside of what is judged here.'],
  ['!', 'It runs a command of the shell.'],
  ['cd', 'It changes the folder from which later commands read their files.'],
  ['e', 'It runs what an editor returns.'],
  ['edit', 'It runs what an editor returns.'],
  ['ef', 'It runs what an editor returns.'],
  ['ev', 'It runs what an editor returns.'],
  ['password', 'It changes the password of a role.'],
  ['lo_import', 'It writes a large object.'],
  ['lo_export', 'It reads a large object into a file.'],
  ['lo_unlink', 'It deletes a large object.'],
]);

/** Without an argument, or with `-` for each, it is the same connection once more. */
const connects = words('c connect');
const elsewhere = 'What follows runs in another connection, whose database, role or server this test knows nothing of.';

/** `\dt+`, `\dvS`, `\drds`: names from describe.c and command.c of psql 18, behind which S, x and + may stand. */
const describes =
  /^(?:d[tvmisEr]*|da|dA[cfop]?|db|dc|dC|dd|dD|ddp|de[stuw]|df[anptw]*|dF[dpt]?|dg|dl|dL|dm|dn|do|dO|dp|dP[tin]*|drds|drg|dR[ps]|dT|du|dX|dx|dy)[Sx+]*$/;

/** `name` without the backslash. What nobody has listed here is never taken for harmless. */
export function psqlEffect(name: string, rest: string): PsqlEffect {
  if (name === 'i' || name === 'include') return { kind: 'include', relative: false };
  if (name === 'ir' || name === 'include_relative') return { kind: 'include', relative: true };
  const why = unread.get(name);
  if (why !== undefined) return { kind: 'unread', why };
  if (connects.has(name) && /[^\s-]/.test(rest)) return { kind: 'unread', why: elsewhere };
  const known = nothing.has(name) || describes.test(name);
  if (!known && !ends.has(name)) return { kind: 'unread', why: 'dbguard knows no such command of psql.' };
  if (rest.includes('`') || /^\s*(?:\([^)]*\)\s*)?\|/.test(rest)) return { kind: 'unread', why: 'It runs a program.' };
  return { kind: known ? 'nothing' : 'ends' };
}

function words(list: string): ReadonlySet<string> {
  return new Set(list.trim().split(/\s+/));
}
