/** Keys that an issuer has put away let nobody in; an issuer that is away keeps nobody out, for a while. */
import t from 'tap';
import { IssuerKeyCache } from '../../../src/io/gateway/issuer-key-cache.js';
import { clientId, startProvider } from '../../identity/provider.js';

const provider = await startProvider();
t.teardown(() => provider.close());
const { issuer } = provider;
const minute = 60_000;

function stage() {
  const clock = { now: 1_800_000_000_000 };
  const troubles: string[] = [];
  const cache = new IssuerKeyCache(
    { issuer, clientId },
    () => 6 * 60 * minute,
    ({ message }) => troubles.push(message),
    () => clock.now,
  );
  const kids = async (): Promise<unknown> => (await cache.keysOf(issuer))?.keys.map(({ kid }) => kid);
  return { clock, troubles, cache, kids };
}

/** The provider signs with another key from now on, and has put the one before away. */
function rotateTo(kid: string): void {
  provider.meddle = (exchange) => {
    if (exchange.path === '/jwks') exchange.body = exchange.body.replaceAll('"k1"', JSON.stringify(kid));
    return undefined;
  };
}

t.test('whoever comes first after hours is held against the keys of now', async (t) => {
  const { clock, kids, cache } = stage();
  rotateTo('k1');
  t.strictSame(await kids(), ['k1']);
  rotateTo('k2');
  clock.now += 5 * minute;
  t.strictSame(await kids(), ['k1'], 'they are fresh');
  t.equal(await cache.renew(issuer), true, 'a token names another');
  t.strictSame(await kids(), ['k2']);
  t.equal(await cache.renew(issuer), false, 'and is not asked for by each copy of it');
  rotateTo('k3');
  clock.now += 5 * 60 * minute;
  t.strictSame(await kids(), ['k3']);
});

t.test('an issuer that is away: its keys count for so long, and no longer', async (t) => {
  const { clock, kids, troubles } = stage();
  rotateTo('k1');
  t.strictSame(await kids(), ['k1']);
  const from = provider.log.length;
  provider.meddle = () => 'hang-up';
  clock.now += 5 * 60 * minute;
  t.strictSame(await Promise.all([kids(), kids(), kids()]), [['k1'], ['k1'], ['k1']]);
  t.strictSame(await kids(), ['k1']);
  t.equal(provider.log.length - from, 1, 'it is asked once');
  t.match(troubles, [/could not be fetched/]);
  clock.now += 61 * minute;
  t.equal(await kids(), undefined);
  rotateTo('k4');
  clock.now += minute;
  t.strictSame(await kids(), ['k4'], 'until it is back');
});

t.test('one that never answered', async (t) => {
  const { kids } = stage();
  provider.meddle = () => 'hang-up';
  t.equal(await kids(), undefined);
});
