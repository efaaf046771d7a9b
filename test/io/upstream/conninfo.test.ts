import fc from 'fast-check';
import t from 'tap';
import { DbguardError } from '../../../src/errors.js';
import { parseConninfo } from '../../../src/io/upstream/conninfo.js';

function parsed(text: string): Record<string, string> {
  return Object.fromEntries(parseConninfo(text));
}

function refusal(text: string): string {
  try {
    parseConninfo(text);
  } catch (error) {
    if (error instanceof DbguardError && error.code === 'config-invalid') return `${error.message} | ${error.hint}`;
    throw error;
  }
  return 'accepted';
}

t.test('keyword strings', async (t) => {
  t.same(parsed('host=db port=5433 user=app'), { host: 'db', port: '5433', user: 'app' });
  t.same(parsed("  host = 'my host'\tpassword='it\\'s \\\\ here' "), { host: 'my host', password: "it's \\ here" });
  t.same(parsed('password=a\\ b user=x'), { password: 'a b', user: 'x' });
  t.same(parsed("host='' dbname=x"), { host: '', dbname: 'x' });
  t.same(parsed('dbname='), { dbname: '' });
  t.same(parsed('password=a=b'), { password: 'a=b' });
  t.same(parsed('options=-c\\ geqo=off'), { options: '-c geqo=off' });
  t.same(parsed('host=a host=b'), { host: 'b' }, 'the last one counts, as in libpq');
  t.same(parsed('shop'), { dbname: 'shop' }, 'a bare word is a database, as for psql');
  t.same(parsed(''), {});
});

t.test('keyword strings that are wrong name the place', async (t) => {
  t.match(refusal("host='db"), /unterminated quote/);
  t.match(refusal('host=db nonsense'), /missing "=" in the connection string, after host/);
  t.match(refusal('=x'), /missing "="/);
  t.match(refusal('hots=db'), /unknown connection parameter "hots"/);
  t.match(refusal("host='a'b"), /stray character/);
});

t.test('URIs', async (t) => {
  t.same(parsed('postgresql://'), {});
  t.same(parsed('postgres://app:s%40f%2Fe@db.example.com:5433/shop?sslmode=require&application_name=x%20y'), {
    user: 'app',
    password: 's@f/e',
    host: 'db.example.com',
    port: '5433',
    dbname: 'shop',
    sslmode: 'require',
    application_name: 'x y',
  });
  t.same(parsed('postgresql://app@/shop'), { user: 'app', dbname: 'shop' });
  t.same(parsed('postgresql://app:p?w:d@db'), { user: 'app', password: 'p?w:d', host: 'db' });
  t.same(parsed('postgresql://[::1]:5433/shop'), { host: '::1', port: '5433', dbname: 'shop' });
  t.same(parsed('postgresql://[2001:db8::1234]/'), { host: '2001:db8::1234' });
  t.same(parsed('postgresql://a:1,b,[::1]:3/x'), { host: 'a,b,::1', port: '1,,3', dbname: 'x' });
  t.same(parsed('postgresql://%2Fvar%2Frun%2Fpostgresql/shop'), { host: '/var/run/postgresql', dbname: 'shop' });
  t.same(parsed('postgresql:///shop?host=/tmp&port=5433'), { dbname: 'shop', host: '/tmp', port: '5433' });
  t.same(parsed('postgresql://db?ssl=true'), { host: 'db', sslmode: 'require' });
  t.same(parsed('postgresql://db/shop?'), { host: 'db', dbname: 'shop' });
  t.same(parsed('postgresql://über@db/größe'), { user: 'über', host: 'db', dbname: 'größe' });
});

t.test('URIs that are wrong name the place', async (t) => {
  t.match(refusal('postgresql://db/shop?sslmod=require'), /unknown connection parameter "sslmod" in the URI/);
  t.match(refusal('postgresql://db/shop?sslmode'), /has no "="/);
  t.match(refusal('postgresql://db/shop?sslmode=a=b'), /extra "=" in the value of sslmode/);
  t.match(refusal('postgresql://db/a%2'), /percent-encoding in dbname/);
  t.match(refusal('postgresql://db/a%00b'), /percent-encoding in dbname/);
  t.match(refusal('postgresql://db/%ff'), /dbname of the URI is not UTF-8/);
  t.match(refusal('postgresql://[::1/x'), /IPv6 address needs brackets/);
  t.match(refusal('postgresql://::1/x'), /IPv6 address needs brackets/);
  t.match(refusal('postgresql://[]/x'), /empty brackets/);
  t.match(refusal('postgresql://db?ssl=maybe'), /ssl takes only "true"/);
  t.match(refusal('mysql://db/x'), /not one for PostgreSQL/);
});

t.test('attack: no error shows a piece of the password, however the string is broken', async (t) => {
  const password = 'Tr0ub4dor';
  for (const text of [
    `postgres://app:${password}@${password}@db/x`,
    `postgres://app:${password}/${password}@db/x`,
    `postgres://app:${password}%@db/x`,
    `postgres://app:${password}%ff@db/x`,
    `postgres://app:x@db/x?password=${password}=${password}`,
    `postgres://app:x@db/x?password=x&${password}=1`,
    `postgres://app:x@db/x?password=x&${password}`,
    `mysql://app:${password}@db/x`,
    `host=db password=x ${password}=1`,
    `host=db password=x ${password}`,
    `host=db password='x ${password}`,
    `host=db password='x'${password}`,
    `host=db password=x host=db2 password=y ${password}=1`,
  ]) {
    const said = refusal(text);
    t.not(said, 'accepted', text);
    t.notMatch(said, password, text);
  }
});

t.test('any value survives quoting, and any percent-encoded value a URI', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      const quoted = `user=u password='${value.replace(/[\\']/g, '\\$&')}' dbname=d`;
      return parseConninfo(quoted).get('password') === value;
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (value) => {
      fc.pre(!value.includes('\0'));
      const settings = parseConninfo(`postgres://u:${encodeURIComponent(value)}@db/x`);
      return settings.get('password') === value && settings.get('host') === 'db';
    }),
  );
  t.pass('properties hold');
});

t.test('any text gives settings or one kind of error', async (t) => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.string().map((tail) => `postgres://${tail}`),
      ),
      (text) => {
        refusal(text);
      },
    ),
  );
  t.pass('properties hold');
});
