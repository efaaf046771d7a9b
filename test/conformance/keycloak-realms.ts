/**
 * Two realms of Keycloak: people of one have their accounts there, people of the other come through the first by SAML. As the
 * chapter of the providers says that they are to be set up, but for TLS.
 */
import type { Person } from './form-browser.js';

type Representation = Readonly<Record<string, unknown>>;

export const main = 'main';
const corporate = 'corporate';

export interface KeycloakPerson extends Person {
  readonly email: string;
  readonly groups: readonly string[];
}

/** Of the first realm. */
export const ada: KeycloakPerson = {
  username: 'ada',
  password: 'ada-secret',
  email: 'ada@example.test',
  groups: ['dba'],
};

/** Exists in the second realm alone. */
export const sam: KeycloakPerson = {
  username: 'sam',
  password: 'sam-secret',
  email: 'sam@corporate.test',
  groups: ['support'],
  elsewhere: '/broker/corporate/login',
};

export type NameIdFormat = 'persistent' | 'emailAddress' | 'transient';

const formats: Readonly<Record<NameIdFormat, string>> = {
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
  emailAddress: 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
};

/** Seconds: short, so that it is over while somebody looks. */
export const tokenLifespan = 20;

export function mainRealm(): Representation {
  return {
    ...{ realm: main, enabled: true, sslRequired: 'none', accessTokenLifespan: tokenLifespan },
    groups: [{ name: 'dba' }, { name: 'support' }],
    users: [userOf(ada, [`default-roles-${main}`])],
    clients: ['dbguard', 'dbguard-gateway'].map(publicClient),
  };
}

/** As the table of the chapter has it. */
function publicClient(clientId: string): Representation {
  return {
    ...{ clientId, publicClient: true, standardFlowEnabled: true, directAccessGrantsEnabled: false },
    redirectUris: ['http://127.0.0.1/callback'],
    attributes: { 'oauth2.device.authorization.grant.enabled': 'true', 'pkce.code.challenge.method': 'S256' },
    protocolMappers: [
      {
        ...{ name: 'groups', protocol: 'openid-connect', protocolMapper: 'oidc-group-membership-mapper' },
        config: {
          'claim.name': 'groups',
          'full.path': 'false',
          'id.token.claim': 'true',
          'access.token.claim': 'true',
        },
      },
    ],
  };
}

export function corporateRealm(url: string): Representation {
  const broker = `${url}/realms/${main}`;
  const property = (name: string): Representation => ({
    ...{ name, protocol: 'saml', protocolMapper: 'saml-user-property-mapper' },
    config: { 'user.attribute': name, 'attribute.name': name, 'attribute.nameformat': 'Basic' },
  });
  return {
    ...{ realm: corporate, enabled: true, sslRequired: 'none' },
    groups: sam.groups.map((name) => ({ name })),
    users: [userOf(sam, [`default-roles-${corporate}`])],
    clients: [
      {
        ...{ clientId: broker, protocol: 'saml', redirectUris: [`${broker}/broker/${corporate}/endpoint`] },
        attributes: {
          ...{ 'saml.assertion.signature': 'true', 'saml.server.signature': 'true', 'saml.client.signature': 'false' },
          ...{ 'saml.force.post.binding': 'true', 'saml.authnstatement': 'true', saml_force_name_id_format: 'false' },
        },
        protocolMappers: [
          ...['email', 'firstName', 'lastName'].map(property),
          {
            ...{ name: 'groups', protocol: 'saml', protocolMapper: 'saml-group-membership-mapper' },
            config: { 'attribute.name': 'groups', 'full.path': 'false', single: 'true' },
          },
        ],
      },
    ],
  };
}

/** The second realm as a SAML identity provider of the first. @param certificate of its signatures, base64 */
export function samlProvider(url: string, certificate: string, format: NameIdFormat): Representation {
  return {
    ...{ alias: corporate, providerId: 'saml', enabled: true, trustEmail: true, linkOnly: false },
    config: {
      ...{ entityId: `${url}/realms/${main}`, singleSignOnServiceUrl: `${url}/realms/${corporate}/protocol/saml` },
      ...{ nameIDPolicyFormat: formats[format], principalType: 'SUBJECT', syncMode: 'FORCE' },
      ...{ postBindingResponse: 'true', postBindingAuthnRequest: 'true', wantAssertionsSigned: 'true' },
      ...{ validateSignature: 'true', signingCertificate: certificate, allowCreate: 'true' },
    },
  };
}

/** What of an assertion becomes a person of the first realm. */
export function samlMappers(): readonly Representation[] {
  const identityProviderAlias = corporate;
  return [
    ...['email', 'firstName', 'lastName'].map((name) => ({
      ...{ name, identityProviderAlias, identityProviderMapper: 'saml-user-attribute-idp-mapper' },
      config: { 'attribute.name': name, 'user.attribute': name, syncMode: 'FORCE' },
    })),
    ...sam.groups.map((group) => ({
      ...{ name: group, identityProviderAlias, identityProviderMapper: 'saml-advanced-group-idp-mapper' },
      config: { attributes: JSON.stringify([{ key: 'groups', value: group }]), group: `/${group}`, syncMode: 'FORCE' },
    })),
  ];
}

/** @param realmRoles whoever is made by hand has the default ones, `offline_access` among them */
function userOf({ username, password, email, groups }: KeycloakPerson, realmRoles: readonly string[]): Representation {
  return {
    ...{ username, email, emailVerified: true, enabled: true, firstName: username, lastName: 'Test' },
    credentials: [{ type: 'password', value: password, temporary: false }],
    groups: groups.map((group) => `/${group}`),
    realmRoles,
  };
}
