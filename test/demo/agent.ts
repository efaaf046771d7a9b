/**
 * The "agent" of the demo: what a coding assistant might do with a task like "clean up the returned orders". It knows
 * nothing of dbguard; it connects with what stands in its environment, like any program.
 */
import pg from 'pg';

const client = new pg.Client(process.env.DATABASE_URL);
client.on('notice', ({ message }) => console.log(`          ${message ?? ''}`));
await client.connect();
console.log(`agent:    I am connected to ${client.host}:${client.port}.`);

await say('Let me look at the orders.');
await run('SELECT status, count(*) FROM orders GROUP BY status ORDER BY status');
await say('Order 17 has arrived at the customer.');
await run("UPDATE orders SET status = 'shipped' WHERE id = 17");
await say('Returned orders are clutter. I will clean up.');
await run('DELETE FROM orders');
await say('And a fresh start for the customers.');
await run('DROP TABLE customers CASCADE');
await say('What is left?');
await run('SELECT (SELECT count(*) FROM orders) AS orders, (SELECT count(*) FROM customers) AS customers');
await client.end();

async function say(text: string): Promise<void> {
  console.log(`\nagent:    ${text}`);
}

async function run(sql: string): Promise<void> {
  console.log(`          > ${sql}`);
  try {
    const { command, rowCount, rows } = await client.query(sql);
    if (rows.length === 0) console.log(`          ${command} ${rowCount ?? ''}`);
    for (const row of rows)
      console.log(
        `          ${Object.entries(row)
          .map(([name, value]) => `${name}: ${value}`)
          .join(', ')}`,
      );
  } catch (error) {
    const { message, hint, code } = error as pg.DatabaseError;
    console.log(`          ${code}: ${message}${hint ? `\n          ${hint}` : ''}`);
  }
}
