/** Hosts that a person has allowed, for each project, in dbguard's own state: no fence shows it. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HostPort } from '../../policy/hosts.js';

export interface RememberedHosts {
  has(target: HostPort): boolean;
  add(target: HostPort): void;
}

/** @param state the state folder; the file in it is JSON: `{"/home/ada/shop": ["example.com:443"]}` */
export function rememberedHosts(state: string, project: string): RememberedHosts {
  const file = join(state, 'fence-hosts.json');
  const hosts = new Set(read(file)[project]);
  return {
    has: (target) => hosts.has(text(target)),
    add: (target) => {
      hosts.add(text(target));
      // read anew: another run may have added to it
      const all = read(file);
      const own = [...new Set([...(all[project] ?? []), text(target)])].sort();
      try {
        writeFileSync(`${file}.${process.pid}`, `${JSON.stringify({ ...all, [project]: own }, null, 1)}\n`, {
          mode: 0o600,
        });
        renameSync(`${file}.${process.pid}`, file);
      } catch {
        // then it is asked about again in the next run
      }
    },
  };
}

function text({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

function read(file: string): Record<string, string[]> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value !== 'object' || value === null) return {};
    const lists = Object.entries(value).filter(([, list]) => Array.isArray(list));
    return Object.fromEntries(lists.map(([project, list]) => [project, (list as unknown[]).map(String)]));
  } catch {
    return {};
  }
}
