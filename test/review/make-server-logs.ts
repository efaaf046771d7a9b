/** Writes test/vectors/server-logs anew: `npx tsx test/review/make-server-logs.ts`. Needs postgresql-15-pgaudit, and the locales of the forms. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { startPostgres } from '../helpers/postgres.js';
import { forms, keptLog, type MadeLog, makeLog, prepareServer, serverSettings } from './server-logs.js';

const postgres = await startPostgres({ version: 15, settings: serverSettings });
try {
  await prepareServer(postgres);
  mkdirSync(keptLog('.'), { recursive: true });
  const kept: Record<string, MadeLog['backends']> = {};
  for (const [name, form] of Object.entries(forms)) {
    const { lines, backends } = await makeLog(postgres, form);
    writeFileSync(keptLog(`${name}.log.gz`), gzipSync(lines.join('\n'), { level: 9 }));
    kept[name] = backends;
  }
  const json = JSON.stringify(kept, undefined, 2).replace(/\{\s+("pid"[^}]*?)\s+\}/g, (_, fields: string) => {
    return `{ ${fields.replace(/\s+/g, ' ')} }`;
  });
  writeFileSync(keptLog('backends.json'), `${json}\n`);
} finally {
  await postgres.stop();
}
