/** Hosts that a fence leads to, as they are written and as they are asked for; names inside of it. */
import fc from 'fast-check';
import t from 'tap';
import { hostOfUrl, isListed, localPorts, readHost } from '../../../src/policy/hosts.js';
import type { Answer } from '../../../src/proxy/statement/asker.js';
import { HostAdmission } from '../../../src/run/fence/host-admission.js';
import { answerName, NameAddresses } from '../../../src/run/fence/names.js';
import { registryHosts } from '../../../src/run/fence/registries.js';

const entries = (...texts: readonly string[]) => texts.flatMap((text) => readHost(text) ?? []);

t.test('an entry opens what it names', (t) => {
  const list = entries('registry.example.com', '*.corp.example', 'git.example.com:8443', 'localhost:11434');
  const open = ['registry.example.com:443', 'REGISTRY.example.com.:80', 'a.b.corp.example:443', 'git.example.com:8443'];
  const shut = [
    ...['registry.example.com:22', 'xregistry.example.com:443', 'corp.example:443', 'evilcorp.example:443'],
    ...['git.example.com:443', 'localhost:11434', '127.0.0.1:11434', 'registry.example.com.evil.net:443'],
  ];
  const target = (text: string) => ({
    host: text.slice(0, text.lastIndexOf(':')),
    port: Number(text.split(':').at(-1)),
  });
  for (const text of open) t.ok(isListed(list, target(text)), text);
  for (const text of shut) t.notOk(isListed(list, target(text)), text);
  t.strictSame(localPorts(list), [11434]);
  for (const text of ['*', '*.com', 'localhost', 'a b', 'https://x.y', 'x:0', 'x:65536', '*.1.2.3.4', '']) {
    t.equal(readHost(text), undefined, `not an entry: ${text}`);
  }
  t.strictSame(hostOfUrl('http://127.0.0.1:4000/v1'), { name: '127.0.0.1', below: false, port: 4000 });
  t.strictSame(hostOfUrl('https://models.example.com'), { name: 'models.example.com', below: false, port: 443 });
  t.equal(hostOfUrl('not a url'), undefined);
  t.end();
});

function question(name: string, type: number): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([Buffer.from('abcd01000001000000000000', 'hex'), ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

t.test('names are answered with addresses that stand for them', (t) => {
  const names = new NameAddresses();
  const answer = answerName(question('Files.example.com', 1), names);
  t.equal(answer?.toString('hex', 0, 12), 'abcd81800001000100000000');
  const address = [...(answer?.subarray(-4) ?? [])].join('.');
  t.match(address, /^127\.64\.0\.\d+$/);
  t.equal(names.nameOf(address), 'files.example.com');
  t.equal(answerName(question('files.example.com', 28), names)?.readUInt16BE(6), 0, 'no IPv6 address');
  t.strictSame([...(answerName(question('localhost', 1), names)?.subarray(-4) ?? [])], [127, 0, 0, 1]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      answerName(Buffer.from(bytes), names);
    }),
  );
  fc.assert(
    fc.property(fc.domain(), fc.domain(), (one, other) => {
      t.equal(names.nameOf(names.of(one)), one);
      t.equal(names.of(one) === names.of(other), one === other);
    }),
    { numRuns: 50 },
  );
  t.end();
});

function admission(answers: readonly Answer[], more: { remembered?: string[]; closed?: string } = {}) {
  const asked: string[] = [];
  const recorded: unknown[] = [];
  const remembered = new Set(more.remembered);
  const key = ({ host, port }: { host: string; port: number }): string => `${host}:${port}`;
  const parts = {
    lists: [{ name: 'sandbox.hosts', entries: entries('listed.example.com', '*.db.example.com') }],
    local: [11434],
    closed: (target: { host: string; port: number }) => key(target) === more.closed,
    remembered: {
      has: (target: { host: string; port: number }) => remembered.has(key(target)),
      add: (target: { host: string; port: number }) => void remembered.add(key(target)),
    },
    recorder: {
      append: (body: unknown) => {
        recorded.push(body);
        return 1;
      },
    },
    asker: {
      ask: async ({ sql }: { sql: string }) => {
        asked.push(sql);
        return answers[asked.length - 1] ?? ({ decision: 'deny', by: { kind: 'nobody' } } as const);
      },
    },
    now: () => 0,
    patienceMs: 1000,
    who: { sid: 's', agent: 'a', subject: 'x', connection: 'main', database: 'd' },
    endSession: () => undefined,
  };
  return { hosts: new HostAdmission(parts), asked, recorded, remembered };
}

t.test('asked about once, remembered, recorded', async (t) => {
  const yes: Answer = {
    decision: 'allow',
    scope: 'once',
    by: { kind: 'person', channel: 'terminal' },
    previewDigest: 'd',
  };
  const no: Answer = { decision: 'deny', reason: 'not that one', by: { kind: 'person', channel: 'terminal' } };
  const { hosts, asked, recorded, remembered } = admission([yes, no], { remembered: ['before.example.com:443'] });
  t.equal(await hosts.admit({ host: 'listed.example.com', port: 443 }), undefined);
  t.equal(await hosts.admit({ host: 'before.example.com', port: 443 }), undefined);
  t.equal(await hosts.admit({ host: 'new.example.com', port: 443 }), undefined);
  t.equal(await hosts.admit({ host: 'new.example.com', port: 443 }), undefined);
  t.match(await hosts.admit({ host: 'bad.example.com', port: 443 }), /does not want it: not that one/);
  t.match(await hosts.admit({ host: 'bad.example.com', port: 443 }), /not that one/);
  t.strictSame(asked, ['reach new.example.com:443', 'reach bad.example.com:443']);
  t.ok(remembered.has('new.example.com:443'));
  t.match(recorded, [
    { k: 'network', host: 'listed.example.com', decision: 'allow', by: 'rule', rule: 'sandbox.hosts' },
    { k: 'network', host: 'before.example.com', decision: 'allow', by: 'earlier-approval' },
    { k: 'network', host: 'new.example.com', decision: 'allow', by: 'person' },
    { k: 'network', host: 'bad.example.com', decision: 'deny', by: 'person' },
  ]);
});

t.test('never the database, never this machine, never a flood of questions', async (t) => {
  const { hosts, asked, recorded } = admission([], {
    closed: 'main.db.example.com:443',
    remembered: ['main.db.example.com:443'],
  });
  t.match(
    await hosts.admit({ host: 'main.db.example.com', port: 443 }),
    /no other way/,
    'listed and remembered all the same',
  );
  t.match(recorded, [{ decision: 'deny', by: 'rule' }]);
  t.match(await hosts.admit({ host: 'localhost', port: 5432 }), /cannot be reached/);
  t.match(await hosts.admit({ host: '127.0.0.2', port: 443 }), /cannot be reached/);
  t.equal(await hosts.admit({ host: 'localhost', port: 11_434 }), undefined, 'but for what was brought in');
  const many = await Promise.all(
    Array.from({ length: 50 }, (_, n) => hosts.admit({ host: `h${n}.example.com`, port: 443 })),
  );
  t.equal(asked.length, 3);
  t.equal(many.filter((why) => why?.includes('already')).length, 47);
  t.match(await hosts.admit({ host: 'h0.example.com', port: 443 }), /nobody could be asked/);
  t.equal(asked.length, 4, 'silence is no answer: it is asked about again');
});

t.test('registries are those that the tools are set up with', (t) => {
  const env = {
    NPM_CONFIG_REGISTRY: 'https://npm.example.com/',
    GOPROXY: 'https://go.example.com|https://two.example.com:8443,direct',
    UV_INDEX: 'inner=https://uv.example.com/simple',
    CARGO_REGISTRIES_CRATES_IO_INDEX: 'sparse+https://crates.example.com/index/',
    PIP_INDEX_URL: 'not a url',
  };
  const found = registryHosts(env).map(({ name, port }) => `${name}:${port}`);
  t.same(found.sort(), [
    ...[
      'crates.example.com:443',
      'go.example.com:443',
      'npm.example.com:443',
      'two.example.com:8443',
      'uv.example.com:443',
    ],
  ]);
  t.same(registryHosts({}), []);
  t.end();
});
