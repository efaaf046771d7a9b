/**
 * Every key of dbguard.yaml, and what it is worth in a repository's file, which anybody can write who can write the
 * repository, agents included. A key that is not here does not exist: the readers take their keys from this table.
 */

/**
 * - `free`: it describes, or the engine lets it only tighten.
 * - `bound`: it leads a credential, a login or the evidence somewhere. It counts in a repository's file as long as nothing of
 *   the person's goes there, and once the person has said that it may (trust.ts).
 * - `own`: only a file of the person's or the organisation's may have it; a repository's is refused with its line.
 */
export type Standing = 'free' | 'bound' | 'own';

/** For every connection, and again for those of one environment. */
const massLimits = { rows: 'free', share: 'free', share_from: 'free', budget: 'free' } as const;

export const configKeys = {
  root: {
    version: 'free',
    requires: 'free', // it only refuses
    identity: 'free', // its keys say
    connections: 'free', // its keys say
    default_connection: 'bound',
    bucket: 'bound',
    organisation: 'own',
    policy: 'free',
    mask: 'free',
    mask_key: 'own',
    unmask: 'own',
    access: 'own',
    second_person: 'own',
    detectors: 'free', // the strictest of all files holds
    intent: 'own',
    sandbox: 'free', // the strictest of all files holds
    serve: 'own',
  },
  identity: {
    issuer: 'bound',
    client_id: 'bound',
    client_secret_env: 'bound',
    scopes: 'bound',
    audience: 'bound',
    workload_issuers: 'bound',
    minimum_level: 'free',
    max_login_age: 'free',
    gateway: 'own',
  },
  identity_gateway: { audience: 'own', clients: 'own', subjects: 'own' },
  connection: {
    url: 'bound',
    service: 'bound',
    password_command: 'own',
    rds_iam: 'own',
    temporary_login: 'own',
    database: 'bound',
    databases: 'bound',
    environment: 'free', // engine.ts takes nobody's word but the person's for "not production"
    application_name: 'free',
    users: 'bound', // as a whole: each may be another login
    access: 'bound', // as a whole: without it, nobody is asked
    record: 'bound', // as a whole: who reads what was seen, and whether anybody can
  },
  record: {
    results: 'free',
    terminal: 'free',
    max_rows: 'free',
    encrypt_to: 'free',
    keep: 'free',
    required: 'free',
  },
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits this table
  connection_access: { then: 'free', for: 'free', at_end: 'free', reason: 'free' },
  rds_iam: { region: 'own' },
  temporary_login: { role: 'own', for: 'own' },
  loopback_user: { login: 'free', role: 'free', password_command: 'own', variable: 'free' },
  bucket: {
    url: 'bound',
    region: 'bound',
    endpoint: 'bound',
    role_arn: 'bound',
    object_lock_days: 'bound',
    sse: 'bound',
  },
  organisation: { file: 'own', key: 'own' },
  policy: {
    profile: 'free',
    rules: 'free',
    approval: 'free',
    offline: 'free',
    limits: 'free',
    mass_changes: 'free',
    functions: 'free',
  },
  approval: { timeout: 'free' },
  limits: { statement_bytes: 'free', connections: 'free' },
  mass_changes: { ...massLimits, production: 'free', staging: 'free', development: 'free' },
  mass_limits: massLimits,
  // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits this table
  rule: { name: 'free', when: 'free', then: 'free', reason: 'free', as: 'own', for: 'own' },
  when: {
    connection: 'free',
    user: 'free',
    database: 'free',
    subject: 'free',
    agent: 'free',
    environment: 'free',
    effect: 'free',
    command: 'free',
    table: 'free',
    column: 'free',
    function: 'free',
    bounded: 'free',
    opaque: 'free',
    rows: 'free',
    time: 'free',
    weekday: 'free',
    timezone: 'free',
    transaction: 'free',
  },
  mask: {
    column: 'free',
    with: 'free',
    value: 'free',
    keep: 'free',
    pattern: 'free',
    joins: 'free',
    to: 'free',
    bounds: 'free',
    hide: 'free',
    show: 'free',
    what: 'free',
    aggregates: 'free',
    when: 'free',
    unless: 'free',
  },
  mask_aggregates: { min_group: 'free' },
  mask_when: { subject: 'free', group: 'free', environment: 'free', connection: 'free', agent: 'free' },
  unmask: { column: 'own', for: 'own', when: 'own' },
  access: {
    name: 'own',
    role: 'own',
    tables: 'own',
    effects: 'own',
    connection: 'own',
    // biome-ignore lint/suspicious/noThenProperty: the rule's own word; nothing awaits this table
    then: 'own',
    reason: 'own',
    for: 'own',
  },
  second_person: {
    approvers: 'own',
    min: 'own',
    level: 'own',
    max_age: 'own',
    wait: 'own',
    wait_in_transaction: 'own',
    valid_for: 'own',
    notify: 'own',
  },
  notify: { webhook: 'own', format: 'own' },
  detectors: {
    all: 'free',
    email: 'free',
    card: 'free',
    iban: 'free',
    'national-id': 'free',
    phone: 'free',
    secret: 'free',
    rows: 'free',
  },
  sandbox: { use: 'free', network: 'free', hosts: 'own', read: 'own', write: 'own', unasked: 'own' },
  serve: {
    listen: 'own',
    listen_oauth: 'own',
    tls: 'own',
    http: 'own',
    people: 'own',
    services: 'own',
    groups: 'own',
    limits: 'own',
    pool: 'own',
    revoked: 'own',
  },
  serve_tls: { certificate: 'own', key: 'own' },
  serve_grant: { connections: 'own', users: 'own', profile: 'own', issuer: 'own' },
  serve_limits: {
    connections: 'own',
    per_person: 'own',
    authenticating: 'own',
    authentication: 'own',
    idle: 'own',
    idle_in_transaction: 'own',
    statement: 'own',
    session: 'own',
    keys: 'own',
  },
  serve_pool: { size: 'own', idle: 'own', wait: 'own' },
  serve_revoked: { person: 'own', before: 'own', token: 'own' },
  mask_keep: { first: 'free', last: 'free' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, Standing>>>>;
