/** A few seconds of what `npm run conformance -- --soak MINUTES` does for as long as one likes. */
import t from 'tap';
import { soak } from './soak.js';

t.test('fifty clients, fifteen seconds', async (t) => {
  const { done, wrong } = await soak({ seconds: 15, clients: 50, seed: 1 });
  t.strictSame(wrong, [], wrong.join('; '));
  t.ok(Object.keys(done).length >= 12, 'everything was done');
});
