/** Prefixes that are met often: what a log is tried with when nobody said which one the server had. */

/**
 * PostgreSQL's default first. A client chooses %a: where it stands here, a word and the address follow, which cannot take
 * up what another prefix puts behind an application's name.
 */
export const commonPrefixes: readonly string[] = [
  '%m [%p] ',
  // Debian and Ubuntu
  '%m [%p] %q%u@%d ',
  // Amazon RDS and Aurora
  '%t:%r:%u@%d:[%p]:',
  // pgBadger's
  '%t [%p]: [%l-1] user=%u,db=%d,app=%a,client=%h ',
  '%t [%p]: user=%u,db=%d,app=%a,client=%h ',
  '%t [%p]: [%l-1] db=%d,user=%u,app=%a,client=%h ',
  '%t [%p]: db=%d,user=%u,app=%a,client=%h ',
  '%t [%p]: [%l-1] user=%u,db=%d ',
  '%t [%p]: user=%u,db=%d ',
  '%t [%p]: db=%d,user=%u ',
  '%t [%p]: [%l-1] ',
  '%t [%p]: ',
  // Cloud SQL; AlloyDB and older Cloud SQL leave the time to the envelope
  '%m [%p]: [%l-1] db=%d,user=%u ',
  '[%p]: [%l-1] db=%d,user=%u ',
  // Azure
  '%t-%c-',
  '%t-%c-%u-%d-',
  '%t [%p-%l] %q%u@%d ',
  '%n [%p] ',
  '%m %u@%d [%p] ',
  '%m [%p] %u@%d ',
  '%m [%p] user=%u,db=%d,app=%a,client=%h ',
  '%m [%p] user=%u,db=%d ',
  'user=%u,db=%d,app=%a,client=%h ',
  'db=%d,user=%u,app=%a,client=%h ',
  'user=%u,db=%d ',
  'db=%d,user=%u ',
  '%q%u@%d ',
  '',
];
