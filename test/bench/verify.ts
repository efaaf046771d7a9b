/**
 * How fast transcripts are verified, against the floor of one Ed25519 verification per signature, and whether memory stays
 * flat. Reports, never fails. `node dist/test/bench/verify.js [sessions] [statements in each]`
 */
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import type { ObjectSource } from '../../src/review/catalog.js';
import { verifyAll } from '../../src/review/verify-all.js';
import { testIssuer } from '../transcript/people.js';
import { objectsOf, record } from '../transcript/recorded.js';

const sessions = Number(process.argv[2] ?? 400);
const statements = Number(process.argv[3] ?? 100);
/** Made once and listed under many names would not verify; so some are made, and each round verifies them all. */
const made = Math.min(sessions, 50);

const issuer = await testIssuer();
const login = await issuer.login('dev');
const objects = Array.from({ length: made }, () => objectsOf(record(login, { statements }), Date.now())).flat();
const source: ObjectSource = {
  location: 'memory',
  read: async (key) => objects.find((object) => object.key === key)?.bytes ?? Buffer.alloc(0),
  async *list() {
    for (const { key, bytes, createdAt } of objects) yield { key, size: bytes.length, createdAt };
  },
};
const keys = { keysOf: async () => [{ ...issuer.keys, origin: 'bench' }] };

const floor = ed25519Floor();
let entries = 0;
let signatures = 0;
let bad = 0;
let done = 0;
let peak = 0;
const cpu = process.cpuUsage();
const start = performance.now();
while (done < sessions) {
  await verifyAll({
    source,
    keys,
    demands: {},
    now: Date.now(),
    onReport: (report) => {
      done++;
      entries += report.entries;
      signatures += report.signatures;
      if (report.verdict !== 'proven') bad++;
      peak = Math.max(peak, process.memoryUsage.rss());
    },
  });
}
const seconds = (performance.now() - start) / 1000;
const used = process.cpuUsage(cpu);
const cpuSeconds = (used.user + used.system) / 1e6;
console.log(`sessions ${done}, entries ${entries}, signatures ${signatures}, not proven ${bad}`);
console.log(`${Math.round(entries / seconds)} entries/s, ${Math.round(entries / cpuSeconds)} entries per CPU second`);
console.log(
  `Ed25519 alone would take ${((signatures * floor) / cpuSeconds / 1e4).toFixed(0)} % of that CPU time (${floor.toFixed(0)} us each)`,
);
console.log(`peak memory ${Math.round(peak / 1024 / 1024)} MiB`);

/** Microseconds. */
function ed25519Floor(): number {
  const { privateKey } = generateKeyPairSync('ed25519');
  const key = createPublicKey(privateKey);
  const bytes = Buffer.alloc(400);
  const signature = sign(null, bytes, privateKey);
  const begin = performance.now();
  for (let i = 0; i < 2000; i++) verify(null, bytes, key, signature);
  return ((performance.now() - begin) * 1000) / 2000;
}
