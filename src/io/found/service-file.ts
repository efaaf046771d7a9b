/** Services of pg_service.conf by their names: which one belongs to a project nobody says, so each is offered. */
import type { Raw } from './found.js';

/** @param text of the user's service file */
export function services(text: string): Raw[] {
  const names = [...text.matchAll(/^\s*\[([^\]\n]+)\]\s*$/gm)].map(([, name = '']) => name);
  return names.slice(0, 9).map((service) => ({
    says: `service ${service} in pg_service.conf`,
    source: service,
    parts: { service },
  }));
}
