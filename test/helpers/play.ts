/** Plays a dialogue against one server, directly or through dbguard, and writes down what each client heard. */
import { setTimeout as sleep } from 'node:timers/promises';
import { render } from '../conformance/render.js';
import { type Dialogue, first, type Step } from './dialogue.js';
import { Client, type Target } from './wire-client.js';
import { sync, terminate } from './wire-messages.js';

export interface PlayedServer {
  readonly target: Target;
  /** SQL on a connection of its own that does not go through what is tested; the rows' first columns. */
  readonly admin: (sql: string) => Promise<readonly unknown[]>;
  /** One byte in each write. */
  readonly trickle?: boolean;
}

/** Lines: `client: message`, in each client's own order. */
export async function play(dialogue: Dialogue, stage: PlayedServer): Promise<string[]> {
  await stage.admin(`DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public; ${dialogue.setup ?? ''}`);
  const clients = new Map<string, Client>();
  const notes: string[] = [];
  const enter = async (name: string) => {
    const client = await Client.open(stage.target);
    clients.set(name, client);
    const logsIn = name !== first || dialogue.login !== false;
    if (logsIn) await client.logIn(name === first ? dialogue.startup : {}, name === first ? dialogue.protocol : [3, 0]);
    client.trickle = stage.trickle ?? false;
    return client;
  };
  let name = first;
  let speaking = await enter(first);
  for (const step of joinBytes(dialogue.steps)) {
    if (Buffer.isBuffer(step)) await speaking.send(step);
    else if ('speak' in step) {
      name = step.speak;
      speaking = clients.get(name) ?? (await enter(name));
    } else if ('hangUp' in step) await speaking.hangUp();
    else if ('cancel' in step) await clients.get(step.cancel)?.cancel(step.wrongKey);
    else if ('observe' in step) notes.push(...(await watch(stage, step.observe)));
    else if (!(await speaking.hears(step.wait, step.times))) notes.push(`${name} never heard ${step.wait}`);
  }
  for (const client of clients.values()) await leave(client);
  return [...notes, ...[...clients].flatMap(([who, client]) => transcript(who, client))];
}

/** A Sync draws out what a server says too much; nothing may follow its ReadyForQuery. */
async function leave(client: Client): Promise<void> {
  client.trickle = false;
  if (!client.closed && client.heard.some(({ type }) => type === 'Z')) {
    await client.send(sync());
    await client.hears('Z', 1);
    await client.send(terminate());
    await client.hears('closed', 1);
  }
  await client.hangUp();
}

async function watch(stage: PlayedServer, sql: string): Promise<string[]> {
  for (let tries = 0; tries < 500; tries++) {
    const [answer] = await stage.admin(sql);
    if (answer === true) return [];
    await sleep(20);
  }
  return [`never came true: ${sql}`];
}

function transcript(who: string, client: Client): string[] {
  const lines = client.heard.map(render).filter((line) => line !== undefined);
  return lines.map((line) => `${who}: ${line}`);
}

function joinBytes(steps: readonly Step[]): Step[] {
  const joined: Step[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    if (Buffer.isBuffer(step) && Buffer.isBuffer(last)) joined.splice(-1, 1, Buffer.concat([last, step]));
    else joined.push(step);
  }
  return joined;
}
