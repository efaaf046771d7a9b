/** dbguard.yaml: what it says as types, and the one way from its text to them. */
import { createHash } from 'node:crypto';
import { DbguardError } from '../errors.js';
import { configKeys } from './config-keys.js';
import { didYouMean } from './did-you-mean.js';
import { type AccessRule, readAccess } from './read-access.js';
import { type BucketConfig, readBucket } from './read-bucket.js';
import { type ConnectionConfig, readConnection } from './read-connection.js';
import { type DetectorPolicy, readDetectors } from './read-detectors.js';
import { type IdentityConfig, readIdentity, readRequired } from './read-identity.js';
import { type IntentUse, readIntent } from './read-intent.js';
import { type MaskDeclaration, readMask, readMaskKey } from './read-mask.js';
import { type OrganisationConfig, readOrganisation } from './read-organisation.js';
import { emptyPolicy, type PolicyConfig, readPolicy } from './read-policy.js';
import { readSandbox, type SandboxConfig } from './read-sandbox.js';
import { readSecondPerson, type SecondPersonConfig } from './read-second-person.js';
import { readServe, type ServeConfig } from './read-serve.js';
import { readUnmask, type UnmaskRule } from './read-unmask.js';
import { BeyondThisVersion, ownVersion, readRequires, requires } from './required-version.js';
import { type FoundKey, type Problem, problemText, readYaml, type Value } from './yaml-source.js';

/** One file. What a key leaves out is undefined here: defaults belong to who combines the files. */
export interface Config {
  /** As it was found, for messages: `dbguard.yaml`. */
  readonly file: string;
  /** SHA-256 of the text, base64url. */
  readonly digest: string;
  readonly identity?: IdentityConfig;
  /** Nothing runs, and no session counts, without an identity provider; which one, another file says. */
  readonly identityRequired?: true;
  readonly connections: ReadonlyMap<string, ConnectionConfig>;
  readonly defaultConnection?: string;
  readonly bucket?: BucketConfig;
  /** Only a file of the user's own may name it. */
  readonly organisation?: OrganisationConfig;
  readonly policy: PolicyConfig;
  readonly mask: readonly MaskDeclaration[];
  readonly unmask: readonly UnmaskRule[];
  readonly access: readonly AccessRule[];
  readonly secondPerson?: SecondPersonConfig;
  readonly detectors?: DetectorPolicy;
  readonly intent?: IntentUse;
  readonly sandbox?: SandboxConfig;
  readonly serve?: ServeConfig;
  /** Secret of the hashes that join between sessions, 32 bytes. */
  readonly maskKey?: Buffer;
  /** Which keys it has, for what a file of its level may say (combine.ts, trust.ts). */
  readonly keys: readonly FoundKey[];
}

/** Throws DbguardError `config-invalid` that names every problem with file, line, column and key path. */
export function parseConfig(text: string, fileName: string): Config {
  const { config, problems } = checkConfig(text, fileName);
  if (config !== undefined) return config;
  throw configInvalid(problems);
}

/**
 * As parseConfig, for those who show problems themselves. `config` is there exactly when there are none.
 * @param running the version that is to enforce it
 */
export function checkConfig(
  text: string,
  fileName: string,
  running = ownVersion,
): { readonly config?: Config; readonly problems: readonly Problem[] } {
  const { value, problems } = readYaml(text, fileName, (root) => readConfig(root, text, fileName, running));
  if (value !== undefined) return { config: value, problems };
  // of a file for a later version all else that is wrong with it may be right there
  const beyond = problems.filter(({ path }) => path === requires);
  return { problems: beyond.length > 0 ? beyond : problems };
}

const shownProblems = 5;

function configInvalid(problems: readonly Problem[]): DbguardError {
  const [first, ...rest] = problems;
  if (first === undefined) return new DbguardError('config-invalid', 'the configuration is not valid');
  const lines = [first, ...rest].slice(0, shownProblems).map(problemText);
  if (problems.length > shownProblems) lines.push(`and ${problems.length - shownProblems} more`);
  return new DbguardError('config-invalid', lines.join('\n'), {
    hint: 'Nothing runs with a policy that is only half understood. "dbguard policy lint" checks the file.',
    ...(first.path === requires && { cause: new BeyondThisVersion() }),
  });
}

/** Reads the mapping of a whole file. @param running the version of dbguard that does */
export function readConfig(root: Value, text: string, file: string, running: string): Config {
  if (root.isNull) root.fail('the file is empty; it needs at least "version: 1"');
  const fields = root.fields(configKeys.root);
  fields.required('version', readVersion, '1');
  fields.optional(requires, (item) => readRequires(item, running));
  const connections =
    fields.optional('connections', (item) => item.record(readConnection)) ?? new Map<string, ConnectionConfig>();
  const said = fields.optional('identity', (item) => (item.isString ? readRequired(item) : readIdentity(item)));
  const identity = said === 'required' ? undefined : said;
  const bucket = fields.optional('bucket', readBucket);
  const organisation = fields.optional('organisation', readOrganisation);
  const maskKey = fields.optional('mask_key', readMaskKey);
  const detectors = fields.optional('detectors', readDetectors);
  const intent = fields.optional('intent', readIntent);
  const sandbox = fields.optional('sandbox', readSandbox);
  const serve = fields.optional('serve', readServe);
  const secondPerson = fields.optional('second_person', readSecondPerson);
  const defaultConnection = fields.optional('default_connection', (item) => readDefault(item, connections));
  return {
    file,
    digest: createHash('sha256').update(text).digest('base64url'),
    ...(identity === undefined ? {} : { identity }),
    ...(said === 'required' ? { identityRequired: true as const } : {}),
    connections,
    ...(defaultConnection === undefined ? {} : { defaultConnection }),
    ...(bucket === undefined ? {} : { bucket }),
    ...(organisation === undefined ? {} : { organisation }),
    ...(maskKey === undefined ? {} : { maskKey }),
    ...(detectors === undefined ? {} : { detectors }),
    ...(intent === undefined ? {} : { intent }),
    ...(sandbox === undefined ? {} : { sandbox }),
    ...(serve === undefined ? {} : { serve }),
    ...(secondPerson === undefined ? {} : { secondPerson }),
    policy: fields.optional('policy', readPolicy) ?? emptyPolicy,
    mask: fields.optional('mask', (item) => item.list(readMask)) ?? [],
    unmask: fields.optional('unmask', (item) => item.list(readUnmask)) ?? [],
    access: fields.optional('access', readAccess) ?? [],
    keys: root.foundKeys,
  };
}

/** A newer file may say things that this version does not understand: refuse rather than guess. */
function readVersion(value: Value): 1 {
  return value.integer(1, 1) === 1 ? 1 : value.expected('1');
}

/** May name a connection of another file where this one defines none. */
function readDefault(value: Value, connections: ReadonlyMap<string, ConnectionConfig>): string {
  const name = value.string('the name of a connection');
  if (connections.size === 0 || connections.has(name)) return name;
  const guess = didYouMean(name, connections.keys());
  return value.fail(
    `no connection has this name. ${guess ? `Did you mean "${guess}"?` : `Known: ${[...connections.keys()].join(', ')}.`}`,
  );
}
