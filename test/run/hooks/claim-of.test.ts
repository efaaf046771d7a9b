/** What the published agents hand their hooks, and what becomes of anything else. */
import * as fc from 'fast-check';
import t from 'tap';
import { longestSaid, parseClaim } from '../../../src/proxy/intent/claim.js';
import { claimOf } from '../../../src/run/hooks/claim-of.js';

t.test('prompts, tool calls and their ends', async (t) => {
  const of = (fields: object) => claimOf('claude-code', JSON.stringify({ session_id: 's1', ...fields }));
  t.match(of({ hook_event_name: 'UserPromptSubmit', prompt: 'clean up' }), {
    event: 'prompt',
    session: 's1',
    said: 'clean up',
  });
  t.match(of({ hook_event_name: 'BeforeAgent', prompt: 'clean up' }), { event: 'prompt', said: 'clean up' });
  const started = '<hook_context>ASK\nFIRST</hook_context>\n\nclean up';
  t.match(of({ hook_event_name: 'BeforeAgent', prompt: started }), { said: 'clean up' });
  const bash = { tool_name: 'Bash', tool_input: { command: 'psql -c x', description: 'd' }, tool_use_id: 'toolu_1' };
  t.match(of({ hook_event_name: 'PreToolUse', ...bash }), {
    ...{ event: 'tool', tool: 'Bash', call: 'toolu_1', said: 'psql -c x', command: 'psql -c x' },
  });
  t.match(of({ hook_event_name: 'PostToolUse', ...bash, tool_response: {} }), { event: 'end', call: 'toolu_1' });
  t.match(of({ hook_event_name: 'PreToolUse', tool_name: 'mcp__dbguard__query', tool_input: { sql: 'SELECT 1' } }), {
    ...{ event: 'tool', said: '{"sql":"SELECT 1"}', command: undefined },
  });
  t.match(of({ hook_event_name: 'PreToolUse', tool_name: 'shell', tool_input: { command: ['psql', '-c', 'x'] } }), {
    command: 'psql -c x',
  });
  t.equal(of({ hook_event_name: 'Stop' }), undefined);
  t.equal(of({ hook_event_name: 'constructor' }), undefined);
  t.equal(claimOf('claude-code', 'no JSON'), undefined);
});

t.test('whatever is said, a claim stays within its bounds', async () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc
          .record({
            hook_event_name: fc.constantFrom('PreToolUse', 'UserPromptSubmit', '__proto__'),
            session_id: fc.anything(),
            tool_name: fc.anything(),
            tool_input: fc.anything(),
            tool_use_id: fc.string(),
            prompt: fc.string({ maxLength: 40_000, minLength: 0 }),
          })
          .map((value) => JSON.stringify(value)),
      ),
      (payload) => {
        for (const claim of [
          claimOf('a', payload),
          parseClaim(payload),
          parseClaim(JSON.stringify(claimOf('a', payload) ?? null)),
        ]) {
          if (claim === undefined) continue;
          if (claim.said.length > longestSaid || (claim.command?.length ?? 0) > longestSaid) return false;
        }
        return true;
      },
    ),
  );
});
