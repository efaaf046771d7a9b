/** graphile-worker: migrate at every start, add_job in each of its forms, a runner that works, fails and cleans up. */
async function withUtils(url, load, act) {
  const { makeWorkerUtils } = load('graphile-worker');
  const utils = await makeWorkerUtils({ connectionString: url });
  try {
    await act(utils);
  } finally {
    await utils.release();
  }
}

export const prepare = (url, load) => withUtils(url, load, (utils) => utils.migrate());
export const again = (url, load) => withUtils(url, load, (utils) => utils.migrate());

export const use = async (url, load) => {
  await withUtils(url, load, async (utils) => {
    await utils.addJob('hello', { name: 'ada' });
    await utils.addJob(
      'hello',
      { name: 'b' },
      { jobKey: 'b', queueName: 'q', maxAttempts: 1, priority: 2, flags: ['x'] },
    );
    await utils.addJob('hello', { name: 'c' }, { jobKey: 'b', jobKeyMode: 'preserve_run_at' });
    await utils.addJob('hello', { name: 'd' }, { jobKey: 'b', jobKeyMode: 'unsafe_dedupe' });
    await utils.addJobs?.([
      { identifier: 'hello', payload: { name: 'e' } },
      { identifier: 'fails', payload: {}, maxAttempts: 1 },
    ]);
    const later = await utils.addJob('hello', { name: 'later' }, { runAt: new Date(Date.now() + 3600_000) });
    await utils.rescheduleJobs([later.id], { priority: 1 });
    await utils.permanentlyFailJobs([later.id], 'not now');
    await utils.completeJobs([later.id]);
    await utils.withPgClient((client) =>
      client.query(`SELECT graphile_worker.add_job('hello', '{"name": "sql"}'::json)`),
    );
    await utils.withPgClient((client) =>
      client.query(
        `SELECT graphile_worker.add_job('hello', json_build_object('name', 'named'), job_key := 'k', max_attempts := 3)`,
      ),
    );
    await utils.withPgClient((client) => client.query(`SELECT graphile_worker.remove_job('k')`));
  });
  const { run, runOnce } = load('graphile-worker');
  const taskList = {
    hello: async (payload, { addJob }) => {
      if (payload.name === 'ada') await addJob('hello', { name: 'child' });
    },
    fails: async () => {
      throw new Error('as it should');
    },
  };
  const quiet = new (load('graphile-worker').Logger)(() => () => undefined);
  await runOnce({ connectionString: url, taskList, logger: quiet });
  const runner = await run({
    connectionString: url,
    taskList,
    logger: quiet,
    crontab: '* * * * * hello ?fill=1h {"name":"cron"}',
    concurrency: 2,
    pollInterval: 200,
    noHandleSignals: true,
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  await runner.stop();
  await withUtils(url, load, (utils) =>
    utils.cleanup?.({ tasks: ['GC_TASK_IDENTIFIERS', 'GC_JOB_QUEUES', 'DELETE_PERMAFAILED_JOBS'] }),
  );
};
