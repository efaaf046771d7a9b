import { setTimeout as sleep } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { DbguardError } from '../../src/errors.js';
import { generateLoginKey } from '../../src/identity/binding.js';
import type { Login } from '../../src/identity/identity.js';
import { startLoginKeeper } from '../../src/identity/login-keeper.js';
import { loadLogin, storedLogins } from '../../src/identity/login-source.js';
import { openTokenStore } from '../../src/io/login/token-store.js';

const HOUR = 3_600_000;
const someLogin = (change: Partial<Login> = {}): Login => ({
  subject: { iss: 'https://issuer.example', sub: 'u1', email: 'a@b.test' },
  level: 'nonce',
  clientId: 'dbguard',
  idToken: 'x',
  bindingIdToken: 'x',
  refreshToken: 'r0',
  expiresAt: HOUR,
  loggedInAt: 0,
  loginKey: generateLoginKey(),
  salt: Buffer.alloc(16).toString('base64url'),
  ...change,
});

/** A real store in a folder of the test, a clock that the test sets, an issuer that the test scripts. */
function world(t: Test, refresh: (login: Login) => Promise<Login>) {
  const env = { DBGUARD_HOME: t.testdir(), DBGUARD_TOKEN_STORE: 'file' };
  const clock = { now: 0 };
  const store = openTokenStore(env);
  const open = () => storedLogins({ store: openTokenStore(env), profile: 'p', now: () => clock.now, refresh });
  return { env, clock, store, open };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

const never = async () => {
  throw new Error('must not be called');
};

test('loadLogin: none, fresh, near its end, ended', async (t) => {
  let refreshed = 0;
  const { clock, store, open } = world(t, async (login) => {
    refreshed++;
    return { ...login, refreshToken: `r${refreshed}`, expiresAt: clock.now + HOUR };
  });
  await t.rejects(loadLogin(open()), { code: 'login-required', hint: /dbguard login/ });
  await store.set('p', someLogin());
  t.equal((await loadLogin(open())).refreshToken, 'r0');
  clock.now = HOUR - 1000;
  t.equal((await loadLogin(open())).refreshToken, 'r1');
  t.equal((await store.get('p'))?.refreshToken, 'r1', 'what rotated is stored');
  clock.now = 10 * HOUR;
  t.equal((await loadLogin(open())).refreshToken, 'r2');
});

test('loadLogin: an issuer that is away matters only once the login is over', async (t) => {
  const { clock, store, open } = world(t, async () => {
    throw new DbguardError('login-failed', 'the issuer cannot be reached');
  });
  await store.set('p', someLogin());
  clock.now = HOUR - 1000;
  t.equal((await loadLogin(open())).refreshToken, 'r0');
  clock.now = HOUR;
  await t.rejects(loadLogin(open()), { code: 'login-expired', message: /a@b\.test has ended: .*cannot be reached/ });
});

test('loadLogin: a policy may demand a level and an age', async (t) => {
  const { clock, store, open } = world(t, never);
  await store.set('p', someLogin({ level: 'asserted' }));
  await t.rejects(loadLogin(open(), { minimumLevel: 'nonce' }), {
    code: 'identity-insufficient',
    message: /asserted.*nonce/,
    hint: /--browser/,
  });
  t.ok(await loadLogin(open(), { minimumLevel: 'asserted' }));
  clock.now = 1000;
  await t.rejects(loadLogin(open(), { maxAgeMs: 999 }), { code: 'login-expired', message: /older/ });
});

test('many processes at the end of a login: one refresh, all get its result', async (t) => {
  let refreshed = 0;
  const { clock, store, open } = world(t, async (login) => {
    refreshed++;
    t.equal(login.refreshToken, 'r0', 'a rotating refresh token is used once only');
    await sleep(20);
    return { ...login, refreshToken: 'r1', expiresAt: clock.now + HOUR };
  });
  await store.set('p', someLogin());
  clock.now = HOUR;
  const logins = await Promise.all(Array.from({ length: 8 }, () => loadLogin(open())));
  t.equal(refreshed, 1);
  t.strictSame(new Set(logins.map((login) => login.refreshToken)), new Set(['r1']));
});

test('the keeper refreshes before the end, and again after a failure', async (t) => {
  let calls = 0;
  const { clock, store, open } = world(t, async (login) => {
    if (++calls === 1) throw new DbguardError('login-failed', 'the issuer cannot be reached');
    return { ...login, expiresAt: clock.now + HOUR };
  });
  const login = someLogin();
  await store.set('p', login);
  const states: (true | DbguardError)[] = [];
  const keeper = startLoginKeeper({ watchMs: 20, source: open(), login, onChange: (state) => states.push(state) });
  t.teardown(() => keeper.stop());
  t.equal(keeper.valid(clock.now), true);
  clock.now = HOUR * 0.8;
  await until(() => calls === 1);
  clock.now = HOUR + 1;
  await until(() => keeper.login.expiresAt > HOUR);
  t.equal(keeper.valid(clock.now), true);
  t.equal(calls, 2);
});

test('a login that ends stops statements; a new one in another terminal lets the session go on', async (t) => {
  const { env, clock, store, open } = world(t, async () => {
    throw new DbguardError('login-expired', 'the issuer has ended this login');
  });
  const login = someLogin();
  await store.set('p', login);
  const states: (true | DbguardError)[] = [];
  const keeper = startLoginKeeper({ watchMs: 20, source: open(), login, onChange: (state) => states.push(state) });
  t.teardown(() => keeper.stop());
  clock.now = HOUR + 1;
  t.match(keeper.valid(clock.now), { code: 'login-expired' }, 'at once, before any timer');
  await until(() => states.length === 1);
  t.match(keeper.valid(clock.now), { message: /issuer has ended/, hint: /another terminal/ });

  const again = someLogin({ expiresAt: 9 * HOUR });
  await openTokenStore(env).set('p', again);
  await until(() => states.length === 2);
  t.equal(keeper.valid(clock.now), true);
  t.equal(keeper.login.loginKey.x, again.loginKey.x);
  t.strictSame(
    states.map((state) => state === true),
    [false, true],
  );
});

test('a login that the issuer has revoked stops statements although its time is not over', async (t) => {
  let calls = 0;
  const { clock, store, open } = world(t, async () => {
    calls++;
    throw new DbguardError('login-expired', 'the issuer has ended this login');
  });
  const login = someLogin();
  await store.set('p', login);
  const keeper = startLoginKeeper({ watchMs: 20, source: open(), login });
  t.teardown(() => keeper.stop());
  clock.now = HOUR * 0.8;
  await until(() => keeper.valid(clock.now) !== true);
  t.match(keeper.valid(clock.now), { code: 'login-expired', message: /issuer has ended/ });
  clock.now = HOUR * 0.9;
  await sleep(100);
  t.equal(calls, 1, 'the issuer is not asked again');
});

test('a login without refresh token is good to its last moment', async (t) => {
  const { clock, store, open } = world(t, never);
  const { refreshToken: _none, ...login } = someLogin();
  await store.set('p', login);
  const keeper = startLoginKeeper({ watchMs: 20, source: open(), login });
  t.teardown(() => keeper.stop());
  clock.now = HOUR - 1;
  await sleep(100);
  t.equal(keeper.valid(clock.now), true);
  t.match(keeper.valid(HOUR), { code: 'login-expired', message: /its time is over/ });
});

test('logout, another person’s login and a weaker one do not let a session go on', async (t) => {
  const { env, clock, store, open } = world(t, never);
  const login = someLogin();
  await store.set('p', login);
  const keeper = startLoginKeeper({ watchMs: 20, source: open(), login, minimumLevel: 'dpop' });
  t.teardown(() => keeper.stop());
  const other = openTokenStore(env);
  const refusedWith = async (code: string) => {
    await until(() => {
      const state = keeper.valid(clock.now);
      return state !== true && state.code === code;
    });
    t.pass(code);
  };
  await other.delete('p');
  await refusedWith('login-required');
  await other.set('p', login);
  await until(() => keeper.valid(clock.now) === true);
  await other.set('p', someLogin({ subject: { iss: login.subject.iss, sub: 'u2' } }));
  await refusedWith('login-required');
  await other.set('p', someLogin({ level: 'asserted' }));
  await refusedWith('identity-insufficient');
  t.equal(keeper.login.subject.sub, 'u1');
});
