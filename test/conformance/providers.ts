/**
 * Real identity providers, each where it is installed: logins by device code and in the browser, refresh, groups, a gateway, and
 * people whom only a SAML identity provider knows.
 */
import { Keycloak, keycloakHome } from './keycloak.js';
import { ada, sam } from './keycloak-realms.js';
import { ProviderTrial } from './provider-trial.js';

/** Prints as it goes. Returns how much did not hold. */
export async function tryProviders(): Promise<number> {
  const keycloak = keycloakHome();
  if (keycloak !== undefined) return tryKeycloak(await Keycloak.start(keycloak));
  console.log('Providers: Keycloak skipped, there is no kc.sh (DBGUARD_KEYCLOAK_HOME), or no Java');
  return 0;
}

async function tryKeycloak(keycloak: Keycloak): Promise<number> {
  console.log(`Providers: ${keycloak.name}, ${new Date().toISOString().slice(0, 10)}`);
  const trial = new ProviderTrial(keycloak);
  try {
    await keycloak.broker('transient').then(
      () => trial.say(false, 'a SAML identity with a transient NameID is refused'),
      (error: Error) => trial.say(/Transient NameID/.test(error.message), `a transient NameID: ${error.message}`),
    );
    await keycloak.broker('persistent');
    const nonce = { device: 'nonce', browser: 'nonce' };
    await trial.levels(ada, nonce);
    const first = await trial.levels(sam, nonce);
    const gateway = await trial.gateway({
      people: { [ada.email]: { connections: ['shop'] } },
      groups: { support: { connections: ['shop'], profile: 'read-only' } },
    });
    const [hers, his] = [
      await trial.logIn(ada, 'device', 'dbguard-gateway'),
      await trial.logIn(sam, 'browser', 'dbguard-gateway'),
    ];
    trial.say(his.who === first, `by SAML, and the same at every login: ${first}`);
    await trial.works(gateway, await trial.token(hers), ada.email, true);
    await trial.works(gateway, await trial.token(his), sam.email, false);
    await trial.renewed(his);
    await removedAtSaml(keycloak, trial, his);
    await trial.proven(gateway, [ada.email, sam.email]);
    return trial.failed;
  } finally {
    await trial.stop();
  }
}

/** The broker does not ask again where a login is only renewed: `max_login_age` says how long that may go on. */
async function removedAtSaml(
  keycloak: Keycloak,
  trial: ProviderTrial,
  login: Awaited<ReturnType<ProviderTrial['logIn']>>,
): Promise<void> {
  await keycloak.remove(sam.email, 'corporate');
  const again = await trial.logIn(sam, 'browser').then(
    () => 'came in',
    ({ message }: Error) => message,
  );
  trial.say(again !== 'came in', 'removed at the SAML provider: no login any more');
  await trial.renewed(login);
  await keycloak.remove(sam.email);
  const ended = await trial.token(login).then(
    () => 'renewed',
    ({ message }: Error) => message,
  );
  trial.say(ended !== 'renewed', `removed at the broker: ${ended.trim()}`);
}
