/**
 * A login for one session: made on the connection of a login that may make roles, a member of one role that owns whatever is
 * made under it, and gone with the session.
 *
 * What lives here: its SQL, its password, how long it is good. What it must not know: who uses it.
 *
 * The password is made here and never sent: the server gets its SCRAM verifier, which is also all that its log can have. After
 * kill -9 nobody renews VALID UNTIL, and the next session of the same maker takes the role away.
 */
import { randomBytes } from 'node:crypto';
import { DbguardError, messageOf } from '../../errors.js';
import { makeScramVerifier } from '../../wire/scram-keys.js';
import type { UpstreamConfig } from './config.js';
import { connectUpstream, type Upstream } from './connect.js';
import { ConnectionMemory } from './memory.js';
import { Secret } from './secret.js';
import { ask } from './session-attrs.js';

export interface TemporaryLogin {
  /** The same server, as the new login. */
  readonly upstream: UpstreamConfig;
  /** Of the connection that made it. */
  readonly madeBy: { readonly user: string; readonly database: string; readonly backendPid: number | undefined };
  /** What it owns by then belongs to the role. Rejects where it could not be dropped; then it is locked. */
  close(): Promise<void>;
}

export interface TemporaryLoginOptions {
  /** The role that it is a member of, and that its sessions begin as. */
  readonly role: string;
  /** How long it is good without being renewed, milliseconds. */
  readonly validMs: number;
  readonly sid: string;
  readonly onTrouble: (error: DbguardError) => void;
}

const NAME = '^dbguard_[0-9a-hjkmnp-tv-z]{26}$';
/** INHERIT of a grant, instead of one attribute of the member. */
const grantsSayHow = 16;

/** @param maker may create roles, and grant `role`. Rejects with `config-invalid` where it may not. */
export async function openTemporaryLogin(
  maker: UpstreamConfig,
  { role, validMs, sid, onTrouble }: TemporaryLoginOptions,
): Promise<TemporaryLogin> {
  const making = new Maker(maker);
  const name = `dbguard_${sid}`;
  const comment = `temporary login of dbguard, made by ${maker.user} for ${role}`;
  const password = randomBytes(24).toString('base64url');
  const backendPid = await making.pid();
  try {
    await sweep(making, role, comment);
    await making.run(
      [
        `CREATE ROLE ${quoted(name)} LOGIN NOINHERIT IN ROLE ${quoted(role)}`,
        `PASSWORD ${literal(await verifierOf(password))} VALID UNTIL ${literal(await making.end(validMs))};`,
        `ALTER ROLE ${quoted(name)} SET role = ${literal(role)};`,
        `COMMENT ON ROLE ${quoted(name)} IS ${literal(comment)}`,
      ].join(' '),
    );
  } catch (error) {
    making.hangUp();
    throw notMade(role, maker.user, error);
  }
  const renewal = setInterval(() => {
    const renewing = async () => {
      await making.run(`ALTER ROLE ${quoted(name)} VALID UNTIL ${literal(await making.end(validMs))}`);
    };
    renewing().catch((error: unknown) => onTrouble(notRenewed(name, error)));
  }, validMs / 3);
  renewal.unref();
  const { auth } = maker;
  const nothingOfOthers = { passwordCommand: undefined, minted: undefined, passfile: undefined };
  return {
    upstream: {
      ...maker,
      user: name,
      auth: {
        ...{ ...auth, ...nothingOfOthers, scramClientKey: undefined, scramServerKey: undefined },
        password: new Secret(password),
        // a new name has proved nothing yet, and this password need not be believed to anybody
        requireAuth: ['scram-sha-256'],
      },
      memory: new ConnectionMemory(),
    },
    madeBy: { user: maker.user, database: maker.database, backendPid },
    async close() {
      clearInterval(renewal);
      try {
        await drop(making, name, role);
      } finally {
        making.hangUp();
      }
    },
  };
}

/** The connection of the login that makes others; opened anew where it was lost. */
class Maker {
  readonly #config: UpstreamConfig;
  #open: Promise<Upstream> | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(config: UpstreamConfig) {
    this.#config = config;
  }

  async pid(): Promise<number | undefined> {
    return (await this.#upstream()).backendKey?.pid;
  }

  async grantsSayHow(): Promise<boolean> {
    return Number.parseInt((await this.#upstream()).serverVersion, 10) >= grantsSayHow;
  }

  /** One text, all of it or nothing; the first column of the last row. */
  run(sql: string): Promise<string | undefined> {
    const turn = this.#queue.then(async () => {
      const upstream = await this.#upstream();
      return ask(upstream, { ...this.#config, label: upstream.hostLabel }, sql).catch((error: unknown) => {
        // the rest of a refusal is still to come: the next text gets a connection of its own
        upstream.socket.destroy();
        throw error;
      });
    });
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  /** By the server's clock, which is the one that VALID UNTIL goes by. */
  async end(validMs: number): Promise<string> {
    const seconds = Math.ceil(validMs / 1000);
    const at = `pg_catalog.now() AT TIME ZONE 'UTC' + interval '${seconds} seconds'`;
    return `${await this.run(`SELECT pg_catalog.to_char(${at}, 'YYYY-MM-DD HH24:MI:SS')`)}+00`;
  }

  hangUp(): void {
    this.#open?.then(({ socket }) => socket.destroy()).catch(() => undefined);
    this.#open = undefined;
  }

  async #upstream(): Promise<Upstream> {
    const known = await this.#open?.catch(() => undefined);
    if (known && !known.socket.destroyed && known.socket.writable) return known;
    const opening = connectUpstream(this.#config, new Map([['application_name', 'dbguard']])).then((upstream) => {
      if (upstream.rest.length > 0) upstream.socket.unshift(upstream.rest);
      return upstream;
    });
    this.#open = opening;
    return opening;
  }
}

/** Those whose sessions were killed: of the same maker for the same role, and over. */
async function sweep(making: Maker, role: string, comment: string): Promise<void> {
  const names = await making.run(
    `SELECT pg_catalog.string_agg(rolname, ',') FROM pg_catalog.pg_roles WHERE rolname ~ ${literal(NAME)} AND rolvaliduntil < pg_catalog.now() AND pg_catalog.shobj_description(oid, 'pg_authid') = ${literal(comment)}`,
  );
  for (const name of names?.split(',') ?? []) await drop(making, name, role).catch(() => undefined);
}

async function drop(making: Maker, name: string, role: string): Promise<void> {
  const how = (await making.grantsSayHow()) ? ' WITH INHERIT TRUE, SET TRUE' : '';
  const own = `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity WHERE usename = ${literal(name)}`;
  try {
    await making.run(
      `GRANT ${quoted(name)} TO CURRENT_USER${how}; ${own}; REASSIGN OWNED BY ${quoted(name)} TO ${quoted(role)}; DROP OWNED BY ${quoted(name)}; DROP ROLE ${quoted(name)}`,
    );
  } catch (error) {
    await making.run(`ALTER ROLE ${quoted(name)} NOLOGIN PASSWORD NULL VALID UNTIL '-infinity'`);
    throw new DbguardError(
      'denied',
      `the temporary login ${name} could not be dropped, and is locked: ${messageOf(error)}`,
      {
        hint: `Somebody who may has to: REASSIGN OWNED BY ${name} TO ${role} in each database, then DROP ROLE ${name}.`,
        cause: error,
      },
    );
  }
}

/** As PostgreSQL stores it: https://www.postgresql.org/docs/current/catalog-pg-authid.html */
async function verifierOf(password: string): Promise<string> {
  const { salt, iterations, storedKey, serverKey } = await makeScramVerifier(password, randomBytes(16));
  const [s, stored, server] = [salt, storedKey, serverKey].map((bytes) => bytes.toString('base64'));
  return `SCRAM-SHA-256$${iterations}:${s}$${stored}:${server}`;
}

function notMade(role: string, maker: string, error: unknown): DbguardError {
  const hint = `"${maker}" needs CREATEROLE, and ${role} with its admin option: GRANT ${role} TO ${maker} WITH ADMIN OPTION.`;
  const message = `no temporary login in the role ${role} could be made: ${messageOf(error)}`;
  return new DbguardError('config-invalid', message, { hint, cause: error });
}

function notRenewed(name: string, error: unknown): DbguardError {
  const message = `the temporary login ${name} could not be renewed: ${messageOf(error)}`;
  return new DbguardError('upstream-auth', message, { hint: 'New connections are refused once its time is over.' });
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return text.includes('\\')
    ? ` E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
    : `'${text.replaceAll("'", "''")}'`;
}
