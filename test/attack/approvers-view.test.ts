/** An approver's own login looks at the tables of a request: nothing that the one who asks has written runs with its rights. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { script } from '../e2e/developer.js';
import { twoDevelopers } from '../e2e/two-developers.js';

t.test('code of the agent’s does not run as the approver, who sees what their own rights show', async (t) => {
  const { postgres, ada, lead, run, waiting } = await twoDevelopers(t);
  await postgres.query(`
    create role agent login password 'agent'; create role approver login password 'approver';
    create table ran (who text); grant insert on ran to public;
    create table orders (id int primary key, note text); insert into orders select i from generate_series(1, 500) i; analyze orders;
    create schema hidden; create table hidden.salaries (id int);
    create table public.own (id int); alter table own owner to agent;
    grant select, delete on orders to agent; grant usage on schema hidden to agent; grant select, delete on hidden.salaries to agent;
    -- the planner runs what says of itself that it never changes
    create function note_who() returns int immutable language plpgsql as $$ begin raise log 'ran as %', current_user; return 1; end $$;`);
  const as = (name: string) => ({
    connections: { main: { url: postgres.url(undefined, name, name), environment: 'development' } },
  });
  const read = ({ project }: typeof lead) => parse(readFileSync(join(project, 'dbguard.yaml'), 'utf8'));
  ada.configure({ ...read(ada), ...as('agent') });
  lead.configure({ ...read(lead), ...as('approver') });
  const running = run(
    script(
      `return [await attempt('delete from orders where id = note_who()'), await attempt('delete from hidden.salaries')]`,
    ),
  );
  const [first] = await waiting();
  t.match(first?.preview.impact.at(-1), { label: 'you: orders', text: /500 rows/ });
  t.match(await lead.dbguard(['deny', first?.id ?? '']), { exitCode: 0 });
  const [second] = await waiting();
  t.match(
    second?.preview.impact.filter(({ label }) => label.startsWith('you')),
    [{ label: /^you/ }],
  );
  t.match(await lead.dbguard(['deny', second?.id ?? '']), { exitCode: 0 });
  await running;
  t.match(postgres.log(), /ran as agent/, 'the planner of the one who asks has run it');
  t.notMatch(postgres.log(), /ran as approver/);

  lead.configure({
    ...read(lead),
    connections: { other: as('approver').connections.main },
    default_connection: 'other',
  });
  const again = run(script(`return attempt('drop table own')`));
  const [third] = await waiting();
  t.match(third?.preview.impact.at(-1), { label: 'you', text: /your settings have no connection main/ });
  t.match(await lead.dbguard(['deny', third?.id ?? '']), { exitCode: 0 });
  await again;
});
