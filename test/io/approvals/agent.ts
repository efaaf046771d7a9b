/** An agent that approves its own statement, if it is let. Prints what came of it. */
import { connectRuns, runSockets } from '../../../src/io/approvals/socket-client.js';

const [dir = ''] = process.argv.slice(2);
// what a daemon does: live on when whoever started it has gone, and wait for a run
do await new Promise((resolve) => setTimeout(resolve, 300));
while (runSockets(dir).length === 0);
const { links, refusals } = await connectRuns(dir, runSockets(dir), {
  message: (link, message) => {
    if (message.type !== 'asked') return;
    link.send({
      type: 'settle',
      id: message.id,
      digest: message.digest,
      verdict: { decision: 'allow', scope: 'once' },
    });
  },
  left: () => undefined,
});
process.stdout.write(`${links.length === 0 ? `refused: ${refusals.join()}` : 'let in'}\n`);
for (const link of links) link.close();
