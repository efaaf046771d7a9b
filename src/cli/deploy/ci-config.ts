/** The dbguard.yaml of a CI job: who vouches for the job, and who is asked about what a migration destroys. */

export interface CiIssuer {
  /** Of the platform's tokens. */
  readonly issuer: string;
}

export function ciConfig({ issuer }: CiIssuer): string {
  return `# For CI: it is named by DBGUARD_CONFIG, and so counts as the job's own word. Keep it where a pull request cannot change it.
version: 1
identity:
  issuer: https://login.example.com        # people: those who approve
  client_id: dbguard
  workload_issuers: [${issuer}]
bucket: { url: s3://example-transcripts/ci, region: eu-central-1 }
connections:
  shop:
    url: postgresql://migrator@db.example.com/shop?sslmode=verify-full
    environment: production
default_connection: shop
policy:
  rules:
    # a person looks at what a migration takes away: dbguard approvals --team --follow
    - { name: destroys, when: { effect: [drop, truncate, delete, grant, role] }, then: second-person }
second_person:
  approvers: [lead@example.com]
  wait: 30m
`;
}
