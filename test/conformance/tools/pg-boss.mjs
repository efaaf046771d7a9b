/** pg-boss: its schema at every start, queues that are there, jobs from sending to archiving. */
async function withBoss(url, load, act) {
  const loaded = load('pg-boss');
  const PgBoss = loaded.PgBoss ?? loaded.default ?? loaded;
  const boss = new PgBoss({ connectionString: url, max: 3, application_name: 'boss' });
  const failures = [];
  boss.on('error', (error) => failures.push(error));
  await boss.start();
  try {
    await act(boss);
  } finally {
    await boss.stop({ graceful: true, wait: true, timeout: 5000 });
  }
  if (failures.length > 0) throw failures[0];
}

const queues = async (boss) => {
  await boss.createQueue('mail');
  await boss.createQueue('reports', { retryLimit: 3, policy: 'short' });
  await boss.createQueue('dead');
};

export const prepare = (url, load) => withBoss(url, load, queues);
export const again = (url, load) => withBoss(url, load, queues);

export const use = (url, load) =>
  withBoss(url, load, async (boss) => {
    const id = await boss.send('mail', { to: 'ada' });
    await boss.send('mail', { to: 'ada' }, { singletonKey: 'a', retryLimit: 2, startAfter: 1 });
    await boss
      .insert(boss.insert.length > 1 ? 'mail' : [{ name: 'mail', data: { n: 1 } }], [{ data: { n: 2 } }])
      .catch((error) => {
        throw error;
      });
    await boss.sendThrottled?.('mail', { n: 1 }, {}, 60, 'key');
    await boss.sendDebounced?.('mail', { n: 1 }, {}, 60, 'key');
    const [job, other] = await boss.fetch('mail', { batchSize: 2 });
    await boss.complete('mail', job.id, { fine: true });
    if (other) await boss.fail('mail', other.id, new Error('no'));
    await boss.getJobById('mail', id);
    const third = await boss.send('mail', { to: 'b' });
    await boss.cancel('mail', third);
    await boss.resume('mail', third);
    await boss.deleteJob?.('mail', third);
    await boss.getQueues();
    await boss.getQueue('mail');
    await boss.getQueueSize?.('mail');
    await boss.getQueueStats?.('mail');
    await boss.updateQueue('mail', { retryLimit: 4 });
    await boss.schedule('mail', '0 3 * * *', { nightly: true });
    await boss.getSchedules();
    await boss.unschedule('mail');
    await boss.subscribe('signed-up', 'mail');
    await boss.publish('signed-up', { who: 'ada' });
    await boss.unsubscribe('signed-up', 'mail');
    const worked = new Promise((resolve) =>
      boss.work('reports', { pollingIntervalSeconds: 0.5 }, async () => resolve()),
    );
    await boss.send('reports', {});
    await worked;
    await boss.offWork('reports');
    await boss.maintain?.();
    await boss.supervise?.();
  });
