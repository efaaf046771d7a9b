/** A gateway to try on one machine, with a database and a provider: nothing of it is for production, and it says so. */
import { containerFile } from './container-file.js';
import type { DeployedFile, DeployOptions } from './deployed-file.js';
import { gatewayConfig } from './gateway-config.js';

export function composeFiles(options: DeployOptions): DeployedFile[] {
  const config = gatewayConfig({
    issuer: 'http://127.0.0.1:5556/dex',
    platform: 'http://127.0.0.1:5556/dex',
    subject: 'CgdnYXRld2F5EgVsb2NhbA',
    database: 'postgresql://gateway@database/shop?sslmode=disable',
    bucket: 'file:/var/lib/dbguard/transcripts',
    http: '127.0.0.1:9464',
    certificates: '/certificates',
  });
  return [
    { path: 'compose.yaml', text: compose(options) },
    containerFile(options),
    { path: 'dbguard.yaml', text: config },
    { path: 'dex.yaml', text: dex },
    { path: 'database.sql', text: database },
  ];
}

const compose = ({
  version,
  image,
}: DeployOptions): string => `# To try out a gateway; the tarball dbguard-${version}.tgz lies beside this file.
#   docker compose up --build
#   export DBGUARD_CONFIG=$PWD/dbguard.yaml
#   dbguard login --client-id dbguard-gateway       # ada@example.com, password: password
#   PGPASSWORD=$(dbguard token) psql "host=127.0.0.1 port=6432 dbname=shop user=ada@example.com sslmode=require"
# Everything listens on this machine alone. The passwords below are public: keep it so.
name: dbguard-trial

services:
  database:
    image: postgres:18
    environment: { POSTGRES_DB: shop, POSTGRES_USER: owner, POSTGRES_PASSWORD: only-for-trials }
    volumes:
      - ./database.sql:/docker-entrypoint-initdb.d/database.sql:ro
      - database:/var/lib/postgresql
    # no port: nobody reaches it but through the gateway
    networks: [inside]
    healthcheck: { test: [CMD, pg_isready, -U, owner, -d, shop], interval: 2s, timeout: 5s, retries: 30 }

  provider:
    image: dexidp/dex:v2.44.0
    command: [dex, serve, /etc/dex/dex.yaml]
    volumes: ["./dex.yaml:/etc/dex/dex.yaml:ro"]
    networks: [inside]
    # the gateway shares this service's network, so that its issuer has the same address for it as for your browser:
    # plain HTTP is taken from loopback alone
    ports: ["127.0.0.1:5556:5556", "127.0.0.1:6432:6432", "127.0.0.1:6433:6433"]

  # a certificate of its own, for a day of trying
  certificate:
    image: alpine/openssl
    entrypoint: [/bin/sh, -c]
    command:
      - >-
        test -s /certificates/tls.key ||
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30
        -subj /CN=localhost -addext "subjectAltName=DNS:localhost,IP:127.0.0.1"
        -keyout /certificates/tls.key -out /certificates/tls.crt && chown 65532 /certificates/*
    volumes: ["certificates:/certificates"]
    network_mode: none

  # What a platform does elsewhere: tokens that say who the gateway is, renewed before they end.
  identity:
    image: curlimages/curl
    user: "65532:65532"
    entrypoint: [/bin/sh, -c]
    command:
      - >-
        while :; do
        curl --silent --fail --retry 20 --retry-delay 1 --retry-all-errors http://127.0.0.1:5556/dex/token
        --data grant_type=password --data client_id=dbguard --data "scope=openid email"
        --data username=gateway@example.com --data password=password
        | sed 's/.*"id_token":"\\([^"]*\\)".*/\\1/' > /identity/token.new
        && mv /identity/token.new /identity/token; sleep 3600;
        done
    volumes: ["identity:/identity"]
    network_mode: service:provider
    depends_on: [provider]

  gateway:
    build: { context: ., dockerfile: Containerfile }
    image: ${image}
    environment: { PGPASSWORD: only-for-trials, DBGUARD_ID_TOKEN_FILE: /identity/token }
    volumes:
      - ./dbguard.yaml:/etc/dbguard/dbguard.yaml:ro
      - certificates:/certificates:ro
      - identity:/identity:ro
      - state:/var/lib/dbguard
    network_mode: service:provider
    depends_on:
      database: { condition: service_healthy }
      certificate: { condition: service_completed_successfully }
      identity: { condition: service_started }
    restart: on-failure
    # nothing of it can be written but what must outlive a crash
    read_only: true
    tmpfs: ["/tmp:size=64m"]
    cap_drop: [ALL]
    security_opt: ["no-new-privileges:true"]
    stop_grace_period: 90s

networks:
  inside: {}

volumes: { database: {}, certificates: {}, identity: {}, state: {} }
`;

const dex = `# A provider to try with. The passwords are public; the hash is that of "password".
issuer: http://127.0.0.1:5556/dex
storage: { type: memory }
web: { http: 0.0.0.0:5556 }
oauth2: { skipApprovalScreen: true, passwordConnector: local }
staticClients:
  - { id: dbguard, name: dbguard, public: true }
  - { id: dbguard-gateway, name: the gateway, public: true }
enablePasswordDB: true
staticPasswords:
  - email: ada@example.com
    username: ada
    userID: ada
    hash: "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"
  - email: gateway@example.com
    username: gateway
    userID: gateway
    hash: "$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W"
`;

const database = `-- a login of the gateway's own, which may do what people may do through it, and no more
CREATE ROLE gateway LOGIN PASSWORD 'only-for-trials';
CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, customer text NOT NULL, placed timestamptz DEFAULT now());
INSERT INTO orders (customer) SELECT 'customer ' || i FROM generate_series(1, 1000) AS i;
GRANT SELECT, INSERT, UPDATE, DELETE ON orders TO gateway;
`;
