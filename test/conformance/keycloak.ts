/**
 * A real Keycloak on a port of 127.0.0.1, with realms of its own in memory. It is found where DBGUARD_KEYCLOAK_HOME says
 * (org.keycloak:keycloak-quarkus-dist, unpacked), or by kc.sh on PATH; it needs Java.
 * https://www.keycloak.org/docs-api/latest/rest-api/index.html
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../helpers/free-port.js';
import { Daemon } from './daemon.js';
import { installed } from './installed.js';
import { corporateRealm, main, mainRealm, type NameIdFormat, samlMappers, samlProvider } from './keycloak-realms.js';
import type { RealProvider } from './provider-trial.js';

/** Undefined: it is not installed. */
export function keycloakHome(): string | undefined {
  const program = installed('kc.sh');
  if (installed('java') === undefined && !process.env.JAVA_HOME) return undefined;
  return process.env.DBGUARD_KEYCLOAK_HOME ?? (program && dirname(dirname(program)));
}

export class Keycloak implements RealProvider {
  readonly name: string;
  readonly issuer: string;
  readonly #url: string;
  readonly #daemon: Daemon;
  readonly #dir: string;
  readonly #secret: string;

  private constructor(home: string, port: number, secret: string) {
    this.#dir = mkdtempSync(join(tmpdir(), 'dbguard-keycloak-'));
    this.#url = `http://127.0.0.1:${port}`;
    this.#secret = secret;
    this.issuer = `${this.#url}/realms/${main}`;
    this.name = `Keycloak ${/\d[\d.]+\d/.exec(readFileSync(join(home, 'version.txt'), 'utf8'))?.[0] ?? ''}`;
    const env = {
      ...{ PATH: process.env.PATH, JAVA_HOME: process.env.JAVA_HOME, HOME: this.#dir },
      ...{ KC_BOOTSTRAP_ADMIN_USERNAME: 'admin', KC_BOOTSTRAP_ADMIN_PASSWORD: secret },
      JAVA_OPTS_KC_HEAP: '-Xms64m -Xmx512m',
    };
    const options = ['--http-host=127.0.0.1', `--http-port=${port}`, '--db=dev-mem', '--cache=local'];
    this.#daemon = new Daemon(this.#dir, join(home, 'bin', 'kc.sh'), ['start-dev', ...options], env);
  }

  static async start(home: string): Promise<Keycloak> {
    const keycloak = new Keycloak(home, await freePort(), crypto.randomUUID());
    try {
      await keycloak.#daemon.answering(`${keycloak.#url}/realms/master`);
      for (const realm of [mainRealm(), corporateRealm(keycloak.#url)]) await keycloak.#admin('POST', '', realm);
      return keycloak;
    } catch (error) {
      await keycloak.stop();
      throw error;
    }
  }

  /** People of the other realm come through this one from now on, known by that. */
  async broker(format: NameIdFormat): Promise<void> {
    const descriptor = await fetch(`${this.#url}/realms/corporate/protocol/saml/descriptor`);
    const certificate = /X509Certificate>([^<]+)</.exec(await descriptor.text())?.[1] ?? '';
    const providers = `/${main}/identity-provider/instances`;
    await this.#admin('DELETE', `${providers}/corporate`).catch(() => undefined);
    await this.#admin('POST', providers, samlProvider(this.#url, certificate, format));
    for (const mapper of samlMappers()) await this.#admin('POST', `${providers}/corporate/mappers`, mapper);
  }

  /** Whoever is known by that address is nobody any more in the first realm, or in the other. */
  async remove(email: string, realm: 'main' | 'corporate' = main): Promise<void> {
    const found = (await this.#admin('GET', `/${realm}/users?email=${encodeURIComponent(email)}`)) as { id: string }[];
    for (const { id } of found) await this.#admin('DELETE', `/${realm}/users/${id}`);
  }

  async stop(): Promise<void> {
    await this.#daemon.stop();
    rmSync(this.#dir, { recursive: true, force: true });
  }

  async #admin(method: string, path: string, body?: unknown): Promise<unknown> {
    const form = { grant_type: 'password', client_id: 'admin-cli', username: 'admin', password: this.#secret };
    const token = await fetch(`${this.#url}/realms/master/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const { access_token: bearer } = (await token.json()) as { access_token?: string };
    const response = await fetch(`${this.#url}/admin/realms${path}`, {
      method,
      headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
