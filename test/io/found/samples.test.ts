// biome-ignore-all lint/suspicious/noTemplateCurlyInString: that is how these files write variables
/** Projects as they are made by the tools' own templates and guides, and what is found in each. */
import t from 'tap';
import { parseDotenv } from '../../../src/io/found/dotenv.js';
import { findConnections, projectIn } from '../../../src/io/found/find.js';

interface Sample {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly services?: string;
  /** `place | who says so | password`, in the order in which they are offered. */
  readonly found: readonly string[];
  readonly others?: readonly RegExp[];
}

const samples: Readonly<Record<string, Sample>> = {
  nothing: { found: [] },
  'a variable': {
    env: { DATABASE_URL: 'postgres://app:s3cret@db.example.com/shop' },
    found: ['app@db.example.com:5432/shop | DATABASE_URL in the environment | s3cret'],
  },
  'a dotenv file, as create-next-app and friends have it': {
    files: {
      '.env':
        '# local\nexport DATABASE_URL="postgresql://app:p%40ss@localhost:5433/shop?schema=public" # dev\nPORT=3000\n',
    },
    found: ['app@localhost:5433/shop | DATABASE_URL in .env | p@ss'],
  },
  'the environment wins over the file, the local file over the shared one': {
    env: { DATABASE_URL: 'postgres://env/one' },
    files: {
      '.env': 'DATABASE_URL=postgres://shared/one\nPOSTGRES_URL=postgres://shared/two',
      '.env.local': 'POSTGRES_URL=postgres://local/two',
    },
    found: ['env:5432/one | DATABASE_URL in the environment | ', 'local:5432/two | POSTGRES_URL in .env.local | '],
  },
  'values made of others': {
    files: {
      '.env': 'DB_USER=app\nDB_PASS=geheim\nDATABASE_URL=postgres://${DB_USER}:${DB_PASS}@${DB_HOST:-localhost}/shop',
    },
    found: ['app@localhost:5432/shop | DATABASE_URL in .env | geheim'],
  },
  'SQLAlchemy’s and JDBC’s spelling': {
    files: {
      '.env':
        "SQLALCHEMY_DATABASE_URI='postgresql+psycopg2://app:x@db/one'\nDB_URL=jdbc:postgresql://db:5433/two?ssl=true",
    },
    found: ['db:5433/two | DB_URL in .env | ', 'app@db:5432/one | SQLALCHEMY_DATABASE_URI in .env | x'],
  },
  'another kind of database': {
    files: { '.env': 'DATABASE_URL=mysql://root:root@localhost/shop' },
    found: [],
    others: [/^DATABASE_URL in \.env is for mysql$/],
  },
  'libpq’s variables': {
    env: { PGHOST: 'db', PGUSER: 'app', PGDATABASE: 'shop', PGPASSWORD: 'x' },
    found: ['app@db:5432/shop | PGHOST, PGDATABASE in the environment | x'],
  },
  'a service that is named': {
    env: { PGSERVICE: 'shop' },
    found: ['the service shop | PGSERVICE in the environment | '],
  },
  'services, where nothing else is said': {
    services: '[shop]\nhost=db\n\n[other]\nhost=other\n',
    found: [
      'the service shop | service shop in pg_service.conf | ',
      'the service other | service other in pg_service.conf | ',
    ],
  },
  'split variables': {
    files: {
      '.env': 'POSTGRES_HOST=db\nPOSTGRES_DB=shop\nPOSTGRES_USER=app\nPOSTGRES_PASSWORD=x\nPOSTGRES_PORT=5433\n',
    },
    found: ['app@db:5433/shop | POSTGRES… variables in .env | x'],
  },
  'Laravel’s split variables of MySQL': {
    files: {
      '.env':
        'DB_CONNECTION=mysql\nDB_HOST=127.0.0.1\nDB_PORT=3306\nDB_DATABASE=shop\nDB_USERNAME=root\nDB_PASSWORD=\n',
    },
    found: [],
  },
  'Laravel’s of PostgreSQL': {
    files: {
      '.env':
        'DB_CONNECTION=pgsql\nDB_HOST=127.0.0.1\nDB_PORT=5432\nDB_DATABASE=shop\nDB_USERNAME=app\nDB_PASSWORD=x\n',
    },
    found: ['app@127.0.0.1:5432/shop | DB… variables in .env | x'],
  },
  'Prisma, with the variable in .env': {
    files: {
      'prisma/schema.prisma':
        'generator client {\n  provider = "prisma-client-js"\n}\n\ndatasource db {\n  provider = "postgresql"\n  // url = "postgres://no"\n  url      = env("SHOP_DATABASE")\n}\n',
      '.env': 'SHOP_DATABASE="postgresql://app:x@localhost:5432/shop?schema=public&connection_limit=5"',
    },
    found: ['app@localhost:5432/shop | prisma/schema.prisma (SHOP_DATABASE in .env) | x'],
  },
  'Prisma and DATABASE_URL are one': {
    files: {
      'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
      '.env': 'DATABASE_URL="postgresql://app:x@localhost:5432/shop?schema=public"',
    },
    found: ['app@localhost:5432/shop | DATABASE_URL in .env, prisma/schema.prisma (DATABASE_URL in .env) | x'],
  },
  'Prisma’s configuration': {
    files: {
      'prisma.config.ts':
        "import 'dotenv/config';\nexport default defineConfig({\n  schema: 'prisma/schema.prisma',\n  datasource: { url: env('SHOP_URL') },\n});\n",
      '.env': 'SHOP_URL=postgres://app@db/shop',
    },
    found: ['app@db:5432/shop | prisma.config.ts (SHOP_URL in .env) | '],
  },
  'Prisma with SQLite': {
    files: { 'prisma/schema.prisma': 'datasource db {\n  provider = "sqlite"\n  url = "file:./dev.db"\n}\n' },
    found: [],
    others: [/schema\.prisma is for file/],
  },
  'Rails, as rails new writes it': {
    env: { SHOP_DATABASE_PASSWORD: 'x' },
    files: {
      'config/database.yml':
        'default: &default\n  adapter: postgresql\n  encoding: unicode\n  pool: <%= ENV.fetch("RAILS_MAX_THREADS") { 5 } %>\n\ndevelopment:\n  <<: *default\n  database: shop_development\n\ntest:\n  <<: *default\n  database: shop_test\n\nproduction:\n  <<: *default\n  host: db.example.com\n  database: shop_production\n  username: shop\n  password: <%= ENV["SHOP_DATABASE_PASSWORD"] %>\n',
    },
    found: [
      'localhost:5432/shop_development | development in config/database.yml | ',
      'shop@db.example.com:5432/shop_production | production in config/database.yml | x',
    ],
  },
  'Rails with a URL, and code that is not run': {
    files: {
      'config/database.yml':
        'development:\n  url: <%= ENV.fetch("SHOP_URL", "postgres://app:x@localhost/shop") %>\nproduction:\n  adapter: postgresql\n  database: <%= `touch hacked; echo shop` %>\n',
    },
    found: ['app@localhost:5432/shop | development in config/database.yml | x'],
  },
  'Rails with MySQL': {
    files: { 'config/database.yml': 'development:\n  adapter: mysql2\n  database: shop\n' },
    found: [],
  },
  'Django, as its documentation has it': {
    files: {
      'manage.py': 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n',
      'mysite/settings.py':
        'DATABASES = {\n    "default": {\n        "ENGINE": "django.db.backends.postgresql",\n        "NAME": "mydatabase",\n        "USER": "mydatabaseuser",\n        "PASSWORD": "mypassword",\n        "HOST": "127.0.0.1",\n        "PORT": "5432",\n    }\n}\n',
    },
    found: ['mydatabaseuser@127.0.0.1:5432/mydatabase | DATABASES in mysite/settings.py | mypassword'],
  },
  'Django with variables': {
    env: { DB_PASSWORD: 'x' },
    files: {
      'shop/settings/base.py':
        "DATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.postgresql_psycopg2',\n        'NAME': os.environ.get('DB_NAME', 'shop'),\n        'USER': os.getenv('DB_USER', 'app'),\n        'PASSWORD': os.environ['DB_PASSWORD'],\n        'HOST': config('DB_HOST', default='localhost'),\n        'PORT': 5433,\n    }\n}\n",
    },
    found: ['app@localhost:5433/shop | DATABASES in shop/settings/base.py | x'],
  },
  'Django with dj-database-url': {
    files: {
      'shop/settings.py':
        "DATABASES = {'default': dj_database_url.config(default='postgres://app:x@db/shop', conn_max_age=600)}\n",
    },
    found: ['app@db:5432/shop | DATABASES in shop/settings.py | x'],
  },
  'Django with SQLite, as startproject writes it': {
    files: {
      'shop/settings.py':
        "DATABASES = {\n    'default': {\n        'ENGINE': 'django.db.backends.sqlite3',\n        'NAME': BASE_DIR / 'db.sqlite3',\n    }\n}\n",
    },
    found: [],
  },
  'a compose file': {
    files: {
      'docker-compose.yml':
        'services:\n  web:\n    build: .\n    ports: ["3000:3000"]\n  db:\n    image: postgres:16-alpine\n    restart: always\n    environment:\n      POSTGRES_USER: app\n      POSTGRES_PASSWORD: ${DB_PASSWORD:-x}\n      POSTGRES_DB: shop\n    ports:\n      - "127.0.0.1:${DB_PORT:-5433}:5432"\n',
    },
    found: ['app@127.0.0.1:5433/shop | service db in docker-compose.yml | x'],
  },
  'a compose file with lists, long ports and an env_file': {
    files: {
      'compose.yaml':
        'services:\n  db:\n    image: docker.io/pgvector/pgvector:pg17\n    env_file: db.env\n    environment:\n      - POSTGRES_DB=shop\n    ports:\n      - target: 5432\n        published: "6000"\n',
      'db.env': 'POSTGRES_PASSWORD=x\n',
    },
    found: ['postgres@127.0.0.1:6000/shop | service db in compose.yaml | x'],
  },
  'a compose file whose database is not published': {
    files: { 'compose.yaml': 'services:\n  db:\n    image: postgres\n    environment: { POSTGRES_PASSWORD: x }\n' },
    found: [],
  },
  'files that are no such files': {
    files: {
      'config/database.yml': 'a: [',
      'compose.yaml': '\u0000: {',
      'prisma/schema.prisma': 'datasource',
      '.env': '==\n=\nDATABASE_URL=postgres://a:b@c@d/e',
    },
    found: [],
    others: [/cannot be read as a connection string/],
  },
};

for (const [name, { files = {}, env = {}, services, found, others = [] }] of Object.entries(samples)) {
  t.test(name, async (t) => {
    const tree: Record<string, unknown> = {};
    for (const [path, text] of Object.entries(files)) {
      const parts = path.split('/');
      let folder = tree;
      for (const part of parts.slice(0, -1)) {
        const inner = folder[part] ?? {};
        folder[part] = inner;
        folder = inner as Record<string, unknown>;
      }
      folder[parts.at(-1) ?? ''] = text;
    }
    const result = findConnections(projectIn(t.testdir(tree as Parameters<typeof t.testdir>[0]), env), () => services);
    t.strictSame(
      result.found.map(({ to, says, password = '' }) => `${to} | ${says} | ${password}`),
      found,
    );
    t.equal(result.others.length, others.length, result.others.join());
    for (const [at, pattern] of others.entries()) t.match(result.others[at], pattern);
    for (const { url, password } of result.found) if (password && password.length > 3) t.notMatch(url, password);
  });
}

t.test('dotenv’s rules', async (t) => {
  const text = [
    'PLAIN=basic # comment',
    'EMPTY=',
    "SINGLE=' $PLAIN \\n '",
    'DOUBLE="a\\nb $PLAIN"',
    'HASH=a#b',
    'QUOTED_HASH="a # b" # c',
    'SPACES   =   some  text   ',
    'export EXPORTED=yes',
    'MULTI="one',
    'two"',
    'LAST=PLAIN=1',
    'DOLLAR="\\$PLAIN"',
    '# COMMENTED=1',
    'BACK=`it\'s "so"`',
    'CRLF=x\r',
  ].join('\n');
  t.strictSame(Object.fromEntries(parseDotenv(text)), {
    PLAIN: 'basic',
    EMPTY: '',
    SINGLE: ' $PLAIN \\n ',
    DOUBLE: 'a\nb basic',
    HASH: 'a#b',
    QUOTED_HASH: 'a # b',
    SPACES: 'some  text',
    EXPORTED: 'yes',
    MULTI: 'one\ntwo',
    LAST: 'PLAIN=1',
    DOLLAR: '$PLAIN',
    BACK: 'it\'s "so"',
    CRLF: 'x',
  });
});

t.test('a large hostile file costs no time worth speaking of', async (t) => {
  const hostile = `A="${'\\"'.repeat(100_000)}\n${' '.repeat(100_000)}\n${'${'.repeat(100_000)}\nDATABASE_URL=postgres://db/x`;
  const { found } = findConnections(
    projectIn(t.testdir({ '.env': hostile, 'compose.yaml': hostile, 'manage.py': hostile }), {}),
  );
  t.ok(found.length <= 1);
});
