/** A shop whose login may read orders and change nothing, roles that may, and a person who is asked: the stage of the attacks on access. */
import type { Test } from 'tap';
import { parseConfig } from '../../src/policy/config.js';
import type { Policy } from '../../src/policy/decision.js';
import { compilePolicy } from '../../src/policy/engine.js';
import type { TestPostgres } from '../helpers/postgres.js';
import type { InProcessOptions } from '../helpers/proxy-in-process.js';
import { startAttendedProxy } from './attended-proxy.js';

export const agent = { user: 'shop_client', password: 'agent' };

/** Once for each server: roles outlive databases. */
export const roles = `
  CREATE ROLE shop_client LOGIN NOINHERIT PASSWORD 'agent';
  CREATE ROLE shop_writer NOLOGIN;
  CREATE ROLE shop_other NOLOGIN;
  GRANT shop_writer, shop_other TO shop_client;
  CREATE ROLE shop_direct LOGIN PASSWORD 'direct';
  GRANT shop_writer TO shop_direct`;

export const shop = `
  GRANT USAGE ON SCHEMA public, other TO shop_client, shop_writer;
  GRANT CREATE ON SCHEMA other TO shop_client;
  CREATE TABLE orders (id int PRIMARY KEY, note text, CHECK (note <> 'bad'));
  INSERT INTO orders SELECT n, 'x' FROM generate_series(1, 5000) n;
  CREATE TABLE secrets (id int PRIMARY KEY, word text);
  INSERT INTO secrets VALUES (1, 'hush');
  CREATE TABLE audit (who text, id int);
  CREATE FUNCTION audited() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit VALUES (current_user, NEW.id); RETURN NEW; END $$;
  CREATE FUNCTION told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF NEW.note = 'tell' THEN RAISE NOTICE 'told of %', NEW.id; END IF; RETURN NEW; END $$;
  CREATE TRIGGER told BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION told();
  CREATE TRIGGER audited AFTER UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION audited();
  CREATE TABLE later (id int PRIMARY KEY, of int REFERENCES orders DEFERRABLE INITIALLY DEFERRED);
  CREATE TABLE walled (id int, owner text);
  INSERT INTO walled VALUES (1, 'shop_writer'), (2, 'shop_client');
  ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
  CREATE POLICY own ON walled USING (owner = current_user);
  GRANT SELECT ON orders, later, walled TO shop_client;
  GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON orders, secrets, later, walled TO shop_writer;
  GRANT INSERT ON audit TO shop_writer;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO shop_client, shop_writer`;

export const access = `version: 1
access:
  - name: fix-orders
    role: shop_writer
    tables: [orders, public.later, walled]
    effects: [insert, update, delete, truncate]
    then: ask
`;

/** The policy that the stage stands under. */
export function accessPolicy(yaml = access): Policy {
  return compilePolicy([{ level: 'user', config: parseConfig(yaml, 'dbguard.yaml') }]);
}

export function startAccessProxy(
  t: Test,
  server: TestPostgres,
  yaml = access,
  options: Partial<InProcessOptions> = {},
  more: readonly string[] = [],
) {
  return startAttendedProxy(t, server, [shop, ...more], {
    upstreamUrl: server.url('postgres', agent.user, agent.password),
    policy: accessPolicy(yaml),
    catalogPollMs: 60_000,
    ...options,
  });
}
