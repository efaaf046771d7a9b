/** The commented dbguard.yaml that `dbguard init` writes. Sections that nobody answered stay in it as comments. */
import { stringify } from 'yaml';
import { singleLine } from '../../untrusted-text.js';

/** As given; reading the file that they make checks them. */
export interface InitAnswers {
  readonly name: string;
  /** Without a password. */
  readonly url?: string | undefined;
  readonly service?: string | undefined;
  /** Where the project's own programs have it, in words: the file names no connection, and it is taken from there. */
  readonly foundIn?: string | undefined;
  readonly environment: string;
  readonly issuer?: string | undefined;
  readonly clientId?: string | undefined;
  readonly bucket?: string | undefined;
  readonly profile?: string | undefined;
  /** For the user's own folder: the file may loosen, and may start programs. */
  readonly forUser: boolean;
  /** Where the JSON schema is, as an editor finds it from the file; undefined where no other machine would have it there. */
  readonly schema?: string | undefined;
}

export function configTemplate(answers: InitAnswers): string {
  return [header(answers), identity(answers), connection(answers), bucket(answers), policy(answers), mask].join('\n');
}

function header({ forUser, schema }: InitAnswers): string {
  const editors =
    schema === undefined
      ? '# An editor completes it once "dbguard init --force --schema" has put its schema beside it.\n'
      : `# yaml-language-server: $schema=${schema}\n`;
  return forUser
    ? `${editors}# dbguard, your own settings. They hold in every folder, together with a repository's dbguard.yaml.
version: 1
`
    : `${editors}# dbguard: the way from an AI coding agent to PostgreSQL. Check this file with "dbguard policy lint".
# Anybody who can change a repository can change this file, so it can only make things stricter than the built-in
# "guarded" profile; what loosens belongs into your own file ("dbguard init --user").
version: 1
`;
}

function identity({ issuer, clientId }: InitAnswers): string {
  const known = issuer !== undefined;
  const mark = known ? '' : '# ';
  return `# Who is at work: the OpenID Connect provider that "dbguard login" talks to.
${mark}identity:
${mark}  issuer: ${scalar(issuer ?? 'https://login.example.com')}
${mark}  client_id: ${scalar(clientId ?? 'dbguard')}
${mark}  # minimum_level: nonce   # nonce, dpop, audience or asserted: how well the issuer must vouch for the signing key
${mark}  # max_login_age: 12h
`;
}

function connection({ name, url, service, foundIn, environment, forUser }: InitAnswers): string {
  const where =
    service === undefined
      ? `url: ${scalar(url ?? 'postgresql://you@localhost:5432/postgres')}`
      : `service: ${scalar(service)}`;
  const command = forUser ? '\n    # password_command: [pass, show, database]   # prints the password; no shell' : '';
  const lines = `connections:
  ${scalar(name)}:
    ${where}${command}
    environment: ${environment}   # production, staging or development; rules can tell them apart
    # databases: any          # other databases that a client may name
default_connection: ${scalar(name)}
`;
  if (foundIn !== undefined)
    return `# Where statements go: to the database that this project's own programs use, with its password from there
# (${singleLine(foundIn, 200)}). To name it here instead:
${lines.replace(/^ *# .*\n/gm, '').replace(/^(?=.)/gm, '# ')}`;
  return `# Where statements go. No password here: ~/.pgpass, PGPASSWORD and client certificates work as with psql.
${lines}`;
}

function bucket({ bucket }: InitAnswers): string {
  return `# Where signed transcripts go. With Object Lock nobody can change or delete them.
${bucket === undefined ? '# bucket: s3://your-bucket/dbguard   # or file:./transcripts' : `bucket: ${scalar(bucket)}`}
`;
}

function policy({ profile, forUser }: InitAnswers): string {
  // Naming a profile in a repository would hold over what the user's own file allows.
  const named = profile ?? (forUser ? 'guarded' : undefined);
  return `# What needs a person. "dbguard explain SQL" shows what a statement does and what becomes of it.
policy:
${named === undefined ? '  # profile: read-only       # stricter than guarded, for everybody who works here' : `  profile: ${named}   # observe, guarded, read-only or migrations`}
  approval: { timeout: 60s }
  # rules:                   # the strictest rule wins: allow, ask, second-person, deny
  #   - name: no-schema-changes-in-production
  #     when: { environment: production, effect: [create, alter, drop] }
  #     then: deny
  #     reason: Schema changes go through the migration pipeline.
  #   - name: big-changes-need-two
  #     when: { effect: [update, delete], rows: "> 10000" }
  #     then: second-person
`;
}

const mask = `# Columns whose values neither the agent nor the transcript may see.
# mask:
#   - { column: customers.ssn, with: null }
#   - { column: customers.email, with: partial, keep: 4 }
`;

/** Quoted where YAML would read something else into it. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trimEnd();
}
