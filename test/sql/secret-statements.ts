/** Statements of every kind that may carry a secret, in the spellings that PostgreSQL has for a literal. */

const plain = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const escaped = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const dollars = (text: string): string => `$q_q$${text}$q_q$`;
const unicode = (text: string): string => `U&'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
/** A value in a connection string: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE */
const conninfo = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
const inUrl = (text: string): string => encodeURIComponent(text);
const json = (text: string): string => JSON.stringify(text);
const inShell = (text: string): string => text.replace(/[^\w.-]/g, '_');

type Make = (secret: string) => string;

export const withSecret: Readonly<Record<string, Make>> = {
  'create role': (s) => `CREATE ROLE bob LOGIN PASSWORD ${plain(s)} VALID UNTIL '2030-01-01'`,
  'create user': (s) => `create user bob with encrypted password ${escaped(s)}`,
  'alter role': (s) => `ALTER ROLE bob PASSWORD /* new */ ${dollars(s)}`,
  'alter user': (s) => `ALTER USER CURRENT_USER WITH PASSWORD ${unicode(s)}`,
  'two literals': (s) => `ALTER ROLE bob PASSWORD ${plain(s.slice(0, 5))}\n ${plain(s.slice(5))}`,
  'user mapping': (s) =>
    `CREATE USER MAPPING FOR bob SERVER x OPTIONS (user 'u', password ${plain(s)}, sslkey ${plain(s)})`,
  'altered user mapping': (s) => `ALTER USER MAPPING FOR bob SERVER x OPTIONS (SET password ${plain(s)})`,
  server: (s) =>
    `CREATE SERVER x FOREIGN DATA WRAPPER f OPTIONS (host 'h', "api_key" ${plain(s)}, secret_access_key ${escaped(s)})`,
  'address of a server': (s) => `ALTER SERVER x OPTIONS (SET url ${plain(`https://u:${inUrl(s)}@h/x`)})`,
  subscription: (s) =>
    `CREATE SUBSCRIPTION x CONNECTION ${plain(`host=h password=${conninfo(s)} user=u`)} PUBLICATION p`,
  'altered subscription': (s) => `ALTER SUBSCRIPTION x CONNECTION ${plain(`postgresql://u:${inUrl(s)}@h/d?a=b`)}`,
  'address with a query': (s) =>
    `ALTER SUBSCRIPTION x CONNECTION ${plain(`postgresql://h/d?user=u&password=${inUrl(s)}`)}`,
  dblink: (s) => `SELECT * FROM dblink(${plain(`dbname=d password=${conninfo(s)}`)}, 'select 1') AS t(a int)`,
  'dblink, put together': (s) => `SELECT dblink_connect('c', 'host=h password=' || ${plain(s)})`,
  'dblink, formatted': (s) => `SELECT dblink_connect(format('host=h password=%s user=u', ${plain(s)}))`,
  set: (s) => `SET app.jwt_secret TO ${plain(s)}`,
  'set local': (s) => `SET LOCAL "app.api_key" = ${escaped(s)}`,
  set_config: (s) => `SELECT set_config('app.settings.service_token', ${plain(s)}, true)`,
  'alter database': (s) => `ALTER DATABASE d SET app.encryption_key = ${plain(s)}`,
  'copy to program': (s) => `COPY t TO PROGRAM ${plain(`PGPASSWORD=${inShell(s)} psql -h h`)}`,
  'copy from program': (s) => `COPY t FROM PROGRAM ${plain(`curl -u bob:${inShell(s)} https://h`)}`,
  'copy with a header': (s) =>
    `COPY t FROM PROGRAM ${plain(`curl -H "Authorization: Bearer ${inShell(s)}" https://h`)}`,
  'copy with an option': (s) => `COPY t FROM PROGRAM ${plain(`mysqldump --password=${inShell(s)} d`)}`,
  do: (s) => `DO $x$ BEGIN EXECUTE ${plain(`ALTER ROLE bob PASSWORD ${plain(s)}`)}; END $x$`,
  'do with a variable': (s) =>
    `DO $x$ DECLARE p text := ${plain(s)}; BEGIN EXECUTE format('ALTER ROLE bob PASSWORD %L', p); END $x$`,
  'do, put together': (s) => `DO $x$ BEGIN EXECUTE 'ALTER ROLE bob PASSWORD ' || quote_literal(${plain(s)}); END $x$`,
  function: (s) =>
    `CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $f$ BEGIN PERFORM dblink_connect(${plain(`password=${conninfo(s)}`)}); END $f$`,
  'function in quotes': (s) =>
    `CREATE FUNCTION f() RETURNS void LANGUAGE sql AS ${plain(`ALTER ROLE bob PASSWORD ${plain(s)}`)}`,
  scheduled: (s) => `SELECT cron.schedule('j', '* * * * *', ${plain(`ALTER ROLE bob PASSWORD ${plain(s)}`)})`,
  'twice in quotes': (s) => `SELECT run(${plain(`SELECT run(${plain(`ALTER ROLE bob PASSWORD ${plain(s)}`)})`)})`,
  prepare: (s) => `PREPARE p AS UPDATE users SET password = ${plain(s)} WHERE id = 1`,
  update: (s) => `UPDATE users SET password = crypt(${plain(s)}, gen_salt('bf')), name = 'bob' WHERE id = 1`,
  insert: (s) => `INSERT INTO users (name, password) VALUES ('bob', ${plain(s)}), ('al', md5(${escaped(s)}))`,
  comparison: (s) => `SELECT id FROM users WHERE "api_key" = ${plain(s)}`,
  pgcrypto: (s) => `SELECT pgp_sym_decrypt(data, ${plain(s)}), hmac('x', ${plain(s)}, 'sha256') FROM t`,
  'named argument': (s) => `SELECT login(name => 'bob', password => ${plain(s)})`,
  json: (s) => `INSERT INTO t (doc) VALUES (${plain(`{"user":"bob","password":${json(s)}}`)})`,
  jsonb_build_object: (s) => `SELECT jsonb_build_object('user', 'bob', 'password', ${plain(s)})`,
  comment: (s) => `-- password: "${inShell(s)}"\nSELECT 1`,
  'insert of a query': (s) => `INSERT INTO users (name, password) SELECT 'bob', ${plain(s)} FROM t WHERE a = 'b'`,
  'insert of a query in parentheses': (s) => `INSERT INTO users (password, name) (SELECT DISTINCT ${plain(s)}, 'bob')`,
  'insert of several queries': (s) =>
    `INSERT INTO users (name, password) SELECT 'bob', NULL UNION ALL SELECT 'al', ${escaped(s)}`,
  'insert of everything': (s) => `INSERT INTO users (name, password) SELECT * FROM (VALUES ('bob', ${plain(s)})) v`,
  'insert with its own ids': (s) =>
    `INSERT INTO users (id, password) OVERRIDING SYSTEM VALUE VALUES (1, ${plain(s)}) ON CONFLICT DO NOTHING`,
  'insert or update': (s) =>
    `INSERT INTO users (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET (name, password) = ROW ('bob', ${plain(s)})`,
  merge: (s) => `MERGE INTO users USING t ON true WHEN NOT MATCHED THEN INSERT (id, password) VALUES (1, ${plain(s)})`,
  'columns of a CTE': (s) =>
    `WITH x(name, password) AS (VALUES ('bob', ${plain(s)})) INSERT INTO users SELECT * FROM x`,
  'columns behind values': (s) =>
    `UPDATE users u SET password = v.password FROM (VALUES (1, ${plain(s)})) AS v(id, password) WHERE u.id = v.id`,
  'name of a result': (s) => `INSERT INTO users SELECT 'bob' AS name, ${plain(s)}::text AS password`,
  'row of columns': (s) => `UPDATE users SET (name, password) = ('bob', ${plain(s)}) WHERE id = 1`,
  'row of a query': (s) => `UPDATE users SET (name, password) = (SELECT 'bob', ${plain(s)}) WHERE id = 1`,
  choice: (s) => `UPDATE users SET password = CASE WHEN name = 'bob' THEN ${plain(s)} ELSE password END`,
  'one of several': (s) => `SELECT id FROM users WHERE api_key IN ('none', ${plain(s)})`,
  'any of an array': (s) => `SELECT id FROM users WHERE api_key = ANY (ARRAY[${plain(s)}])`,
  'distinct from': (s) => `SELECT id FROM users WHERE api_key IS NOT DISTINCT FROM ${plain(s)}`,
  pattern: (s) => `SELECT id FROM users WHERE api_key NOT ILIKE ${plain(s)}`,
  'regular expression': (s) => `SELECT id FROM users WHERE api_key ~* ${plain(s)}`,
  between: (s) => `SELECT id FROM users WHERE api_key BETWEEN 'a' AND ${plain(s)}`,
  'the other way round': (s) => `SELECT id FROM users u WHERE ${plain(s)} = u.password`,
  'compared rows': (s) => `SELECT id FROM users WHERE (name, password) = ('bob', ${plain(s)})`,
  'compared with several rows': (s) =>
    `SELECT id FROM users WHERE (name, password) IN (('al', 'x'), ('bob', ${plain(s)}))`,
  'a function of it': (s) => `SELECT id FROM users WHERE lower(u.password) = ${plain(s)}`,
  'a type of it': (s) => `SELECT id FROM users WHERE password::text COLLATE "C" = ${plain(s)}`,
  'default of a column': (s) => `CREATE TABLE t (id int, password varchar(80) NOT NULL DEFAULT ${plain(s)})`,
  'default of an altered column': (s) => `ALTER TABLE t ALTER COLUMN api_key SET DEFAULT ${plain(s)}`,
  'default of a parameter': (s) =>
    `CREATE FUNCTION f(p_token text DEFAULT ${plain(s)}) RETURNS int LANGUAGE sql AS 'SELECT 1'`,
  'setting in a table': (s) =>
    `INSERT INTO settings (key, value) VALUES ('theme', 'dark'), ('smtp_password', ${plain(s)})`,
  'setting in a table, of a query': (s) => `INSERT INTO settings (name, value) SELECT 'smtp_password', ${plain(s)}`,
  'setting in a table, changed': (s) => `UPDATE settings SET value = ${plain(s)} WHERE key = 'smtp_password'`,
  'path in JSON': (s) => `UPDATE t SET doc = jsonb_set(doc, '{smtp,password}', ${plain(json(s))})`,
  'subscript of JSON': (s) => `UPDATE t SET doc['api_key'] = ${plain(json(s))}`,
  'set without quotes': (s) => `SET app.jwt_secret TO x${inShell(s).replace(/[^\w]/g, '_')}`,
  'set in double quotes': (s) => `SET SESSION app.jwt_secret = "${s.replaceAll('"', '""')}"`,
  'alter role without quotes': (s) => `ALTER ROLE bob SET app.token = x${inShell(s).replace(/[^\w]/g, '_')}`,
  'prepared and executed': (s) => `PREPARE p AS INSERT INTO users (password) VALUES ($1); EXECUTE p(${plain(s)})`,
  'alter system': (s) => `ALTER SYSTEM SET primary_conninfo = ${plain(`host=h user=u password=${conninfo(s)}`)}`,
  'copy with another header': (s) => `COPY t FROM PROGRAM ${plain(`curl -H 'Authorization: ${inShell(s)}' https://h`)}`,
  'copy with a short option': (s) => `COPY t FROM PROGRAM ${plain(`mysql -uroot -p${inShell(s)} d`)}`,
  'copy through another shell': (s) => `COPY t FROM PROGRAM ${plain(`sshpass -p ${inShell(s)} ssh h cat x`)}`,
  'copy with a pass phrase': (s) => `COPY t TO PROGRAM ${plain(`openssl enc -aes-256-cbc -pass pass:${inShell(s)}`)}`,
  'copy with a setting': (s) => `COPY t FROM PROGRAM ${plain(`aws configure set aws_secret_access_key ${inShell(s)}`)}`,
  'several statements': (s) => `BEGIN; ALTER ROLE bob PASSWORD ${plain(s)}; COMMIT`,
  'comment of an object': (s) => `COMMENT ON ROLE bob IS ${plain(`The password for bob is ${inShell(s)}, see ops.`)}`,
  'comment with a label': (s) => `COMMENT ON DATABASE d IS ${plain(`prod login: app / pw: ${inShell(s)}`)}`,
  'security label': (s) => `SECURITY LABEL ON ROLE bob IS ${plain(`password: ${inShell(s)}`)}`,
  'sentence in a comment': (s) => `-- password for bob: ${inShell(s)}\nSELECT 1`,
  'sentence in another language': (s) => `COMMENT ON ROLE bob IS ${plain(`Das Passwort ist ${inShell(s)}`)}`,
  'sentence in a row': (s) => `INSERT INTO notes VALUES (1, ${plain(`my pwd is ${inShell(s)}!`)})`,
  digest: (s) => `SELECT encode(digest(${plain(s)}::text, 'sha512'), 'hex')`,
  md5: (s) => `SELECT id FROM users WHERE name = 'bob' AND hash = md5(${plain(s)})`,
  sha256: (s) => `SELECT sha256(convert_to(${plain(s)}, 'UTF8'))`,
  'function of an application': (s) => `SELECT app.verify_password('bob', ${plain(s)})`,
  'login of an application': (s) => `SELECT auth.login('bob', ${plain(s)})`,
  'account of an application': (s) => `CALL create_user('bob', ${plain(s)})`,
  'header of a request': (s) => `SELECT http_header('X-Api-Key', ${plain(s)})`,
  'variable of a block': (s) => `DO $x$ DECLARE v_password CONSTANT text := ${plain(s)}; BEGIN END $x$`,
  'variable of a procedure': (s) =>
    `CREATE PROCEDURE p() LANGUAGE plpgsql AS $x$ DECLARE api_key varchar(80) = ${plain(s)}; BEGIN END $x$`,
  'program that prints it': (s) => `ALTER SYSTEM SET ssl_passphrase_command = ${plain(`echo ${inShell(s)}`)}`,
  'address of a chat': (s) => `SELECT ${plain(`https://hooks.slack.com/services/${inShell(s).replaceAll('.', '_')}`)}`,
  'signed address': (s) =>
    `COPY t FROM PROGRAM ${plain(`curl 'https://a.blob.core.windows.net/c?sv=1&sig=${inShell(s)}'`)}`,
  'address of an Oracle server': (s) =>
    `CREATE SERVER x FOREIGN DATA WRAPPER f OPTIONS (dbserver ${plain(`//u/${inShell(s)}@h:1521/x`)})`,
  'secret beside an access key': (s) =>
    `INSERT INTO cfg VALUES ('AKIAIOSFODNN7EXAMPLE', ${plain(
      inShell(s)
        .replace(/[^A-Za-z0-9]/g, '')
        .padEnd(40, 'x')
        .slice(0, 40),
    )})`,
  'set_config by names': (s) =>
    `SELECT set_config(new_value => ${plain(s)}, is_local => true, setting_name => 'app.password')`,
  'set_config of a name put together': (s) => `SELECT set_config('app.' || 'api_key', ${plain(s)}, false)`,
  'key of a service': (s) => `ALTER DATABASE d SET app.stripe_key = ${plain(s)}`,
  'key in quotes': (s) => `SET "app.key" = ${plain(s)}`,
  'key by set_config': (s) => `SELECT set_config('vault.key', ${plain(s)}, true)`,
  'element of XML': (s) =>
    `INSERT INTO t VALUES (${plain(`<c><user>bob</user><db:password type="x">${inShell(s)}</db:password></c>`)})`,
  'copy through a vault': (s) => `COPY t FROM PROGRAM ${plain(`vault login x${inShell(s)}`)}`,
  'copy into an archive': (s) => `COPY t TO PROGRAM ${plain(`zip -q -P ${inShell(s)} x.zip -`)}`,
  'copy into another archive': (s) => `COPY t TO PROGRAM ${plain(`7z a -si -p${inShell(s)} x.7z`)}`,
  'copy through httpie': (s) => `COPY t FROM PROGRAM ${plain(`http -a bob:${inShell(s)} GET x`)}`,
  'copy through samba': (s) => `COPY t FROM PROGRAM ${plain(`smbclient //h/x -U bob%${inShell(s)} -c 'get x -'`)}`,
  'copy through a pipe': (s) => `COPY t FROM PROGRAM ${plain(`echo ${inShell(s)} | sudo -S cat /x`)}`,
  'copy through a registry': (s) => `COPY t FROM PROGRAM ${plain(`docker login -u bob -p ${inShell(s)} h`)}`,
  'copy into .pgpass': (s) => `COPY t TO PROGRAM ${plain(`echo "h:5432:d:u:${inShell(s)}" >> ~/.pgpass`)}`,
  'copy with one dash': (s) => `COPY t FROM PROGRAM ${plain(`influx -password ${inShell(s)} -execute x`)}`,
  'secret of DuckDB': (s) => `SELECT duckdb.create_simple_secret('S3', 'k', ${plain(s)}, 'us-east-1')`,
  'explain of it': (s) => `EXPLAIN UPDATE users SET secret = ${plain(s)}`,
};

/** What neither grammar takes. */
export const unreadable: readonly Make[] = [
  (s) => `ALTER ROLE bob PASSWORD ${inShell(s)}`,
  (s) => `ALTER ROLE bob PASSWORD "${s.replaceAll('"', '""')}"`,
  (s) => `ALTR ROLE bob PASSWORD ${plain(s)}`,
  (s) => `ALTER ROLE bob PASSWORD '${s.replaceAll("'", "\\'")}'`,
  (s) => `ALTER ROLE bob PASSWORD = ${plain(s)}`,
  (s) => `CREATE USER 'bob'@'%' IDENTIFIED BY ${plain(s)}`,
  (s) => `ALTER ROLE bob PASSWORD ${plain(s).slice(0, -1)}`,
  (s) => `CREATE ROLE bob WITH (PASSWORD ${plain(s)})`,
];

export const bindStatements: readonly (readonly [sql: string, parameters: readonly number[] | 'all'])[] = [
  ['UPDATE users SET password = $1, name = $2 WHERE id = $3', [1]],
  ['INSERT INTO users (name, password) VALUES ($1, crypt($2, gen_salt($3)))', [2]],
  ["SELECT set_config('app.secret', $1, true), set_config('jit', $2, true)", [1]],
  ["SELECT dblink_connect('host=h password=' || $1)", 'all'],
  ["SELECT id FROM users WHERE token_hash = encode(digest($1, 'sha256'), 'hex')", [1]],
  ["SELECT digest($1, 'sha256')", []],
  ['SELECT auth.login($1, $2)', [2]],
  ['SELECT pgp_sym_encrypt($1, $2)', [2]],
  ['INSERT INTO users (name, password) SELECT $1, $2 FROM t WHERE a = $3', [2]],
  ['UPDATE users SET (name, password) = ($1, $2) WHERE id = $3', [2]],
  ['SELECT id FROM users WHERE name = $1 AND api_key IN ($2, $3)', [2, 3]],
  ["UPDATE settings SET value = $1 WHERE key = 'smtp_password' AND id = $2", [1]],
  ['SELECT * FROM orders WHERE id = $1', []],
];

/** Keys of providers and hashes of passwords, which are secrets wherever they stand. */
export const keys: readonly string[] = [
  'glpat-ABCdef123456ghiJKLmn',
  `sk_${'live'}_4eC39HqLyjWDarjtT1zdp7dc`,
  'AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY',
  'npm_abcdefghijklmnopqrstuvwxyz0123456789',
  'hf_abcdefghijklmnopqrstuvwxyzABCDEFGH',
  'SG.ngeVfQFYQlKU0ufo8x5d1A.TwL2iGABf9DHoTf09kqeF8tAmbihYzrnopKc1s5cr',
  'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.',
  '$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy',
  '$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHQ$RdescudvJCsgt3ub+b',
  'pbkdf2_sha256$600000$c29tZXNhbHQ$Y3JhY2tlZG1heWJlb25lZGF5',
];

/** About secrets, and without one. */
export const harmless: readonly string[] = [
  "COMMENT ON COLUMN users.password_hash IS 'bcrypt hash of the password, never NULL'",
  "COMMENT ON TABLE tokens IS 'Refresh tokens; the token column is hashed'",
  "COMMENT ON COLUMN t.secret IS 'secret: yes or no'",
  "COMMENT ON COLUMN users.password IS 'Password: bcrypt, cost 12'",
  "COMMENT ON COLUMN users.password IS 'password is SCRAM-SHA-256 or md5'",
  "COMMENT ON COLUMN t.k IS 'key is composed of tenant_id and user_id'",
  "COMMENT ON COLUMN users.token IS 'JWT, signed with RS256'",
  "COMMENT ON TABLE t IS 'Basic authentication data of partners'",
  "SELECT md5('user' || i) FROM generate_series(1, 10) i",
  "SELECT md5('x'), sha256(payload), digest(payload, 'sha256') FROM events",
  "SELECT pgp_sym_decrypt(ssn, current_setting('app.key')) FROM customers",
  "UPDATE users SET password = crypt($1, gen_salt('bf', 8))",
  "SELECT * FROM errors WHERE message = 'invalid token: unexpected end of input'",
  "INSERT INTO i18n VALUES ('en', 'Enter your password:', 'Please log in')",
  "SELECT reset_password('bob'), has_password('bob'), is_token_valid('bob', 'web')",
  "SELECT create_user('bob', 'bob@example.com', 'admin')",
  "SELECT login FROM users WHERE login = 'bob' AND role = 'admin'",
  "DO $$ DECLARE v_token_kind text := 'refresh'; BEGIN RAISE NOTICE 'password for % is not set', 'bob'; END $$",
  "INSERT INTO certs (pem) VALUES ('-----BEGIN CERTIFICATE-----\nMIIBxTCCAWug\n-----END CERTIFICATE-----')",
  "SELECT * FROM commits WHERE sha = 'da39a3ee5e6b4b0d3255bfef95601890afd80709'",
  "SELECT regexp_replace(url, 'token=[^&]*', '') FROM logs",
  "SELECT 'https://example.com/a:b@c'",
  "/* action='sessions#create', controller='password_resets' */ SELECT 1",
  '-- TODO: rotate the token for bob\nSELECT 1',
  "INSERT INTO llm_usage (model, prompt_tokens) VALUES ('gpt-4o', 12)",
  "SELECT http_header('Accept', 'application/json')",
  "SET app.tenant_key = 'acme'",
  "SELECT set_config('app.partition_key', '2026-11', true), set_config('search_path', 'a', true)",
  "SELECT o.key, t.public_key FROM orders o WHERE o.key = 'colour' AND t.group_key = 'x'",
  "COPY t TO PROGRAM 'gzip -c > /tmp/x.gz'",
  "COPY t TO PROGRAM 'echo done | tee /tmp/x'",
  "COPY t FROM PROGRAM 'docker run -p 8080:80 x'",
  "INSERT INTO hosts VALUES ('db1:5432', '10:30:00', 'a:b:c:d')",
  "INSERT INTO audit (action, who) VALUES ('reset_password', 'bob')",
];

/** A bind value names the setting that another one is for; the places of the secrets, from 1. */
export const namedByBinds: readonly (readonly [
  sql: string,
  bind: readonly (string | null)[],
  secret: readonly number[],
])[] = [
  ['SELECT set_config($1, $2, true)', ['app.jwt_secret', 'x'], [2]],
  ['SELECT set_config($1, $2, true)', ['search_path', 'x'], []],
  ['INSERT INTO settings (key, value) VALUES ($1, $2), ($3, $4)', ['theme', 'dark', 'smtp_password', 'x'], [4]],
  ['UPDATE settings SET value = $1 WHERE key = $2', ['x', 'smtp_password'], [1]],
  ['INSERT INTO audit (action, who) VALUES ($1, $2)', ['reset_password', 'bob'], []],
  ['SELECT * FROM orders WHERE id = $1', ['password'], []],
];
