/** What a server logs is found whatever the form and whatever a client does to be misread. */
import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { logLines } from '../../src/io/files/log-lines.js';
import { LogReader } from '../../src/review/server-log/log-reader.js';
import type { LogEvent } from '../../src/review/server-log/message.js';
import { ServerClock } from '../../src/review/server-log/server-clock.js';
import { startPostgres } from '../helpers/postgres.js';
import { forms, keptLog, type LogForm, type MadeLog, makeLog, prepareServer, serverSettings } from './server-logs.js';

const pgAudit = existsSync('/usr/lib/postgresql/15/lib/pgaudit.so');

function readAll(lines: readonly string[], prefix?: string, zone?: string) {
  const reader = LogReader.for(lines.slice(0, LogReader.sampleSize), { clock: new ServerClock({ zone }), prefix });
  const findings = [...lines.flatMap((line) => reader.line(line)), ...reader.end()];
  const events = findings.flatMap((one) => (one.kind === 'event' ? [one.readings] : []));
  return { events, unread: findings.filter(({ kind }) => kind === 'unread') };
}

/** Events that may be this backend's, of its connection and of its statements about orders. */
function mayBe(events: readonly (readonly LogEvent[])[], pid: number, kind: LogEvent['kind']): number {
  return events.filter((readings) =>
    kind === 'statement'
      ? readings.some((one) => one.pid === pid && mentions(one))
      : readings.every((one) => one.kind === kind && one.pid === pid),
  ).length;
}

function mentions(event: LogEvent): boolean {
  return event.kind === 'statement' && !/pg_backend_pid/.test(event.text);
}

t.test(
  'every form of a real server’s log',
  { skip: !pgAudit && 'postgresql-15-pgaudit is not installed' },
  async (t) => {
    const postgres = await startPostgres({ version: 15, settings: serverSettings });
    t.teardown(() => postgres.stop());
    await prepareServer(postgres);
    for (const [name, form] of Object.entries(forms)) {
      if (!form.keptOnly) await t.test(name, async (t) => checkForm(t, form, await makeLog(postgres, form)));
    }
  },
);

t.test('every form that was kept', async (t) => {
  const backends: Record<string, MadeLog['backends']> = JSON.parse(readFileSync(keptLog('backends.json'), 'utf8'));
  for (const [name, form] of Object.entries(forms)) {
    const lines: string[] = [];
    for await (const line of logLines(keptLog(`${name}.log.gz`))) lines.push(line);
    await t.test(name, async (t) => checkForm(t, form, { lines, backends: backends[name] ?? [] }));
  }
});

t.test('a log that ends anywhere within an entry is not all understood', async (t) => {
  const before = 12;
  for (const [name, form] of Object.entries(forms)) {
    const all: string[] = [];
    for await (const line of logLines(keptLog(`${name}.log.gz`))) all.push(line);
    const prefix =
      form.file === 'server.log' ? (form.prefix ?? form.settings.log_line_prefix ?? '%m [%p] ') : undefined;
    const marks = all.flatMap((line, n) => (/connection authorized: user|AUDIT: SESSION/.test(line) ? [n] : []));
    const lost: string[] = [];
    for (const n of marks.slice(-1)) {
      const lines = all.slice(Math.max(0, n - before), n);
      const line = all[n] ?? '';
      const found = (more: readonly string[], isCut: boolean): number => {
        const reader = LogReader.for([...lines, line], { clock: new ServerClock({ zone: undefined }), prefix });
        const read = [...lines, ...more].flatMap((one) => reader.line(one)).length;
        return isCut ? read + reader.end(true).length : read;
      };
      const floor = found([], false);
      const upTo = Math.min(line.length, line.search(/connection authorized: user|AUDIT: SESSION/) + 40);
      for (let at = 1; at < upTo; at += at < upTo - 80 ? 7 : 1) {
        if (found([line.slice(0, at)], true) <= floor) lost.push(line.slice(0, at));
      }
    }
    t.strictSame(lost.slice(0, 3), [], name);
    t.ok(marks.length > 0, `${name}: there are entries to cut`);
  }
});

function checkForm(t: Test, form: LogForm, made: MadeLog): void {
  const prefix = form.prefix ?? form.settings.log_line_prefix ?? '%m [%p] ';
  check(t, form, made, readAll(made.lines, form.file === 'server.log' ? prefix : undefined));
  // nobody says the prefix: then what is not read is said to be unread
  const guessed = readAll(made.lines);
  for (const { pid, statements } of made.backends) {
    const found = mayBe(guessed.events, pid, 'connection') + mayBe(guessed.events, pid, 'statement');
    t.ok(found + guessed.unread.length >= 1 + statements, `guessed: backend ${pid} is not lost`);
  }
}

function check(t: Test, form: LogForm, made: MadeLog, { events, unread }: ReturnType<typeof readAll>): void {
  // a collector has cut a role's name, and with it the entry, at its line break
  const cut = form.collected === undefined ? [] : unread.filter((one) => one.kind === 'unread' && /q@w/.test(one.text));
  t.strictSame(
    unread.filter((one) => !cut.includes(one)),
    [],
    'nothing is unread',
  );
  for (const { pid, benign, statements } of made.backends) {
    if (!benign) {
      const its = events.filter((readings) => readings.some((one) => one.pid === pid));
      t.ok(its.length + cut.length >= 2 + statements, `backend ${pid} is not lost`);
      continue;
    }
    const found = { connections: mayBe(events, pid, 'connection'), statements: mayBe(events, pid, 'statement') };
    t.strictSame(found, { connections: 1, statements }, `backend ${pid}`);
    const own = events.filter((readings) => readings.some((one) => one.pid === pid));
    t.ok(
      own.every((readings) => new Set(readings.map((one) => one.pid)).size === 1),
      'read in one way',
    );
    t.ok(own.every((readings) => readings.every(({ user }) => user === undefined || user === 'app')));
  }
  const real = new Set(made.backends.map(({ pid }) => pid));
  if (form.file !== 'server.log' || form.collected !== undefined) return;
  const imagined = events.filter((readings) => !readings.some(({ pid }) => real.has(pid)));
  t.ok(
    imagined.every((readings) => readings.every(({ pid }) => pid !== 4242)),
    'no imitation is an event',
  );
}

/** What the server prints for each escape (elog.c, log_status_format), of a client that chose its names. */
function printed(format: string, values: Readonly<Record<string, string>>): string {
  return format.replace(/%(-?\d*)(.)/gs, (_, padding: string, letter: string) => {
    const value = letter === '%' ? '%' : (values[letter] ?? '');
    const width = Number(padding) || 0;
    return width < 0 ? value.padEnd(-width) : value.padStart(width);
  });
}

const stamp = '2026-11-29 03:00:01';
const chosen = fc.oneof(
  fc.constantFrom(
    '',
    'app',
    'LOG:  ',
    '[4242]',
    '[4242] LOG:  AUDIT: SESSION,1,1,READ,SELECT,,,',
    `${stamp} UTC [4242] LOG:  `,
  ),
  fc.string({ maxLength: 20, unit: fc.constantFrom(...' [](),:=LOGAUDIT-%0942.') }),
);
const piece = fc.oneof(
  fc.constantFrom(...'audrhbPiecslvxQLq', '-12u', '20a', '8l').map((letter) => `%${letter}`),
  fc.constantFrom(' ', '[', ']', ': ', ',', '|', 'app=', '%%', '-', '@', ''),
);
const anyPrefix = fc
  .tuple(
    fc.array(piece, { maxLength: 5 }),
    fc.array(piece, { maxLength: 5 }),
    fc.constantFrom('%m', '%t', '%n'),
    fc.constantFrom('[%p]', '%p ', '%c', ':%6p:'),
  )
  .map(([before, between, time, pid]) => `${before.join('')}${time} ${between.join('')} ${pid}`);

t.test('no prefix and no name makes an audit record pass unseen', async (t) => {
  fc.assert(
    fc.property(anyPrefix, chosen, chosen, chosen, (prefix, a, u, d) => {
      const values = {
        ...{
          a: a || '[unknown]',
          u,
          d,
          m: `${stamp}.123 UTC`,
          t: `${stamp} UTC`,
          s: `${stamp} UTC`,
          n: '1795921201.123',
        },
        ...{
          p: '999999',
          P: '',
          c: '692a6ed1.f423f',
          l: '7',
          r: '10.0.0.1(5)',
          h: '10.0.0.1',
          L: '10.0.0.2',
          b: 'client backend',
        },
        ...{ i: 'DELETE', e: '00000', v: '3/1', x: '0', Q: '-17' },
      };
      const line = `${printed(prefix, values)}LOG:  AUDIT: SESSION,1,1,WRITE,DELETE,,,delete from orders,<none>`;
      for (const said of [prefix, undefined]) {
        const { events, unread } = readAll([line], said);
        const seen = events.some((readings) => readings.some(({ pid }) => pid === 999999));
        if (!seen && unread.length === 0) return false;
        // where the prefix is said, the line is understood
        if (said !== undefined && !seen) return false;
      }
      return true;
    }),
    { numRuns: 1_000 },
  );
  t.pass();
});

const csvLine = (pid: number, message: string): string =>
  `${stamp}.123 UTC,"app","shop",${pid},"10.0.0.1:5",692a6ed1.${pid.toString(16)},1,"DELETE",${stamp} UTC,3/1,0,LOG,00000,"${message}",,,,,,,,,"psql","client backend",,0`;
const jsonLine = (pid: number, message: string): string =>
  JSON.stringify(
    { timestamp: `${stamp}.123 UTC`, user: 'app', dbname: 'shop', pid, error_severity: 'LOG', message },
    null,
    1,
  );
const authorized = 'connection authorized: user=app database=shop';
const record = 'AUDIT: SESSION,1,1,WRITE,DELETE,,,""delete\nfrom orders"",<none>';

t.test('a log that is cut off anywhere loses no entry that has begun', async (t) => {
  for (const [line, message] of [
    [csvLine, record],
    [jsonLine, record.replaceAll('""', '"')],
  ] as const) {
    const known = line(4242, authorized);
    const cut = line(999999, message);
    for (let end = cut.indexOf('AUDIT: SESSION,') + 'AUDIT: SESSION,'.length; end <= cut.length; end++) {
      const { events, unread } = readAll(`${known}\n${cut.slice(0, end)}`.split('\n'));
      t.equal(events.length + unread.length, 2, `at ${end}`);
    }
  }
});

t.test('an entry that the death of the server cut off takes none of the next ones along', async (t) => {
  const [begun = ''] = csvLine(7, record).split('\n');
  const later = [csvLine(8, authorized), csvLine(9, record), csvLine(10, record)].join('\n').split('\n');
  const { events, unread } = readAll([csvLine(4242, authorized), begun, ...later]);
  t.strictSame(
    events.map(([first]) => first?.pid),
    [4242, 8, 9, 10],
  );
  t.equal(unread.length, 1);
});

t.test('a server that begins to speak another language within its log is heard', async (t) => {
  const lines = Array.from({ length: 3_000 }, (_, pid) => `${stamp}.123 UTC [${pid}] LOG:  ${authorized}`);
  const foreign = `${stamp}.123 UTC [999999] ZAPIS:  połączenie autoryzowane: użytkownik=app`;
  const { unread } = readAll([...lines, foreign, foreign]);
  t.match(unread, [{ why: 'language', line: 3_001 }]);
});

/** What catalogs of several versions say; none of these is in languages.ts. */
const otherWords = [
  ['LOG', 'conexão autorizada: usuário=app banco de dados=shop'],
  ['DZIENNIK', 'zautoryzowano połączenie: użytkownik=app baza danych=shop'],
  ['LOG', 'bağlantı yetkilendirildi: kullanıcı=app veritabanı=shop'],
  ['LOG', 'koneksi terautorisasi: user=app, database=shop'],
  ['LOG', 'Verbindung authorisiert: Benutzer=app Datenbank=shop'],
  ['LOG', 'connexion autoris\uFFFDe : utilisateur=app, base de donn\uFFFDes=shop'],
  ['日志', '联接认证: 主机=app 数据库=shop'],
] as const;

const inForms: Readonly<Record<string, (severity: string, message: string) => string>> = {
  text: (severity, message) => `${stamp}.123 UTC [999999] ${severity}:  ${message}`,
  'text with names': (severity, message) => `${stamp}.123 UTC [999999] app@shop ${severity}:  ${message}`,
  syslog: (severity, message) => `Nov 29 03:00:01 db1 postgres[999999]: [3-1] ${severity}:  ${message}`,
  csvlog: (severity, message) => csvLine(999999, message).replace('LOG', severity),
  jsonlog: (severity, message) => jsonLine(999999, message).replace('LOG', severity).replaceAll('\n', ''),
  'jsonlog in ASCII': (severity, message) =>
    jsonLine(999999, message)
      .replace('LOG', severity)
      .replaceAll('\n', '')
      .replace(/[^ -~]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  docker: (severity, message) => JSON.stringify({ log: `${stamp}.123 UTC [999999] ${severity}:  ${message}\n` }),
};

t.test('connections in words that are not known are not passed over, in any form', async (t) => {
  for (const [form, write] of Object.entries(inForms)) {
    for (const [severity, message] of otherWords) {
      const { events, unread } = readAll([write(severity, message)]);
      t.strictSame([events.length, unread.length], [0, 1], `${form}: ${message}`);
    }
    const ordinary = [
      ['LOG', 'connection received: host=client.example.com port=5'],
      ['LOG', 'connection received: host=10.0.0.1 port=5'],
      ['LOG', 'disconnection: session time: 0:00:00.003 user=app database=shop host=10.0.0.1 port=5'],
      ['LOG', 'Verbindung empfangen: Host=client.example.com Port=5'],
      ['СООБЩЕНИЕ', 'принято подключение: узел=client.example.com порт=5'],
      ['LOG', 'checkpoint complete: wrote 5 buffers (0.0%); write=0.001 s, sync=0.002 s'],
      ['LOG', 'duration: 0.3 ms  statement: select id from orders where größe=5'],
      ['LOG', 'job done: id=5'],
      ['NOTICE', 'größe: höhe=5'],
      ['ERROR', 'duplicate key value violates unique constraint'],
    ] as const;
    const lines = ordinary.map(([severity, message]) => write(severity, message));
    t.strictSame(
      readAll([write('LOG', authorized), ...lines], undefined, 'Z').unread,
      [],
      `${form}: ordinary lines are no cause`,
    );
  }
});

t.test('another version’s word behind the role hides nobody from --user', async (t) => {
  const { events } = readAll([`${stamp}.123 UTC [7] LOG:  接続の認証完了: ユーザー=app、ベース=shop`]);
  t.strictSame(
    events.map(([first]) => [first?.pid, first?.user]),
    [[7, undefined]],
  );
});

t.test('a log of which nothing can be read is no log in which nothing happened', async (t) => {
  for (const lines of [
    ['\uFFFD\uFFFD2\x000\x002\x006'],
    ['PK\u0003\u0004'],
    ['2026-11-29 something else', 'and more'],
  ]) {
    t.match(readAll(lines).unread, [{ why: 'log', line: 1 }]);
  }
  t.strictSame(readAll([]).unread, [], 'one that was rotated a moment ago is empty');
  t.strictSame(readAll([`${stamp}.123 UTC [7] LOG:  database system is ready to accept connections`]).unread, []);
});

t.test('sessions that begin, with a setting that does not say whose they are', async (t) => {
  const line = (message: string): string => `${stamp}.123 UTC [7] LOG:  ${message}`;
  const identified = line('connection authenticated: identity="app" method=scram-sha-256 (/etc/pg_hba.conf:1)');
  const ready = line('connection ready: setup total=1.2 ms, fork=0.3 ms, authentication=0.5 ms');
  const received = line('connection received: host=10.0.0.1 port=5');
  const audited = line('AUDIT: SESSION,1,1,WRITE,DELETE,,,delete from orders,<none>');
  for (const one of [identified, ready])
    t.match(readAll([received, one, audited]).unread, [{ why: 'setting', line: 2 }]);
  t.strictSame(readAll([received, identified, line(authorized), ready]).unread, []);
  t.strictSame(readAll([received, audited]).unread, [], 'whoever was not let in did nothing');
  t.strictSame(readAll([line('statement: select'), `\t${ready}`, audited]).unread, [], 'a client says it');
});
