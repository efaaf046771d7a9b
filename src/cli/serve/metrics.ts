/** The numbers of a gateway, for a scraper. No label has a person's name: who reads metrics need not read transcripts. */
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { PoolCounts } from '../../io/pool/lease.js';
import type { SessionCounts } from './guest-sessions.js';

export interface GatewayMetrics {
  arrived(outcome: 'admitted' | 'refused' | 'turned-away'): void;
  trouble(code: string): void;
  read(): Promise<{ readonly text: string; readonly type: string }>;
}

export interface MeasuredGateway {
  readonly counts: SessionCounts;
  /** Zeros where there is none. */
  readonly pool: PoolCounts;
  /** Clients that have not shown a token. */
  readonly waiting: number;
  /** Segments that are in no bucket yet. */
  readonly spooled: number;
}

export function gatewayMetrics(measure: () => MeasuredGateway): GatewayMetrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'dbguard_' });
  const gauge = (name: string, help: string, value: (now: MeasuredGateway) => number): void => {
    new Gauge({
      ...{ name: `dbguard_${name}`, help, registers },
      collect() {
        this.set(value(measure()));
      },
    });
  };
  gauge('sessions', 'Sessions with a transcript that is open', ({ counts }) => counts.sessions);
  gauge('clients', 'Clients that are connected', ({ counts }) => counts.clients);
  gauge('clients_waiting', 'Clients whose statement waits for an approval', ({ counts }) => counts.held);
  gauge('clients_authenticating', 'Clients that have not shown a token', ({ waiting }) => waiting);
  gauge('spooled_segments', 'Segments of transcripts that are in no bucket yet', ({ spooled }) => spooled);
  gauge('pool_connections', 'Server connections that have a place in the pool', ({ pool }) => pool.open);
  gauge('pool_idle', 'Server connections that wait for a client', ({ pool }) => pool.idle);
  gauge('pool_waiting', 'Clients that wait for a server connection', ({ pool }) => pool.waiting);
  gauge('statements_total', 'Statements so far', ({ counts }) => counts.statements);
  gauge('statements_denied_total', 'Statements that a rule has denied so far', ({ counts }) => counts.denied);
  const arrivals = new Counter({
    ...{ name: 'dbguard_arrivals_total', help: 'Clients that came', registers },
    labelNames: ['outcome'],
  });
  const troubles = new Counter({
    ...{ name: 'dbguard_troubles_total', help: 'What went wrong, by its code', registers },
    labelNames: ['code'],
  });
  return {
    arrived: (outcome) => arrivals.inc({ outcome }),
    trouble: (code) => troubles.inc({ code }),
    read: async () => ({ text: await registry.metrics(), type: registry.contentType }),
  };
}
