/** The dbguard.yaml of a gateway, with the few words in which its platforms differ. */

export interface GatewaySettings {
  readonly issuer: string;
  /** Vouches for the gateway itself. */
  readonly platform: string;
  /** The gateway, as that platform calls it. */
  readonly subject: string;
  readonly database: string;
  readonly bucket: string;
  /** Address of probes and metrics. */
  readonly http: string;
  /** Folder of tls.crt and tls.key. */
  readonly certificates: string;
}

export function gatewayConfig({
  issuer,
  platform,
  subject,
  database,
  bucket,
  http,
  certificates,
}: GatewaySettings): string {
  return `version: 1
identity:
  issuer: ${issuer}                # people
  client_id: dbguard
  workload_issuers: [${platform}]  # who vouches for the gateway, and for services
  gateway:
    audience: dbguard-gateway      # what tokens for it are made for; never dbguard's own client
    subjects: ["${subject}"]       # the gateway itself, for whoever verifies its transcripts
bucket: ${bucket}
connections:
  shop: { url: "${database}", environment: production }
policy: { profile: guarded }
serve:
  listen: 0.0.0.0:6432             # a token in the place of the password
  listen_oauth: 0.0.0.0:6433       # OAUTHBEARER, for libpq 18
  http: ${http}               # /livez, /readyz, /metrics
  tls: { certificate: ${certificates}/tls.crt, key: ${certificates}/tls.key }
  people:
    ada@example.com: { connections: [shop] }
  limits: { per_person: 20 }
# pool: { size: 20 }               # server connections of each user, in each replica; left out: one for each client
`;
}
