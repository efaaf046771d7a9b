/**
 * `dbguard review`: the sessions of a bucket on a terminal: a list, one session, one statement; searched, filtered, verified
 * on the spot.
 */
import { DbguardError } from '../../errors.js';
import { subjectInFull } from '../../identity/subject-name.js';
import { stateDirs } from '../../io/files/state-dirs.js';
import { startTerminal, ttyStreams } from '../../io/terminal/terminal.js';
import type { Want } from '../../review/browser/browser-state.js';
import { nameOf } from '../../review/browser/listed-session.js';
import { recordingFaults } from '../../review/read-recordings.js';
import { singleLine } from '../../untrusted-text.js';
import type { CommandContext } from '../command.js';
import { wantsColours } from '../print/text.js';
import { Browser, loadBrowserTools } from '../review/browser.js';
import { indexPlace, listBucket } from '../review/list-bucket.js';
import {
  failureWords,
  fetchAnswer,
  Left,
  openSession,
  type Reading,
  redact,
  sessionNamed,
  verifyBucket,
  verifyOne,
  writeSessionPage,
} from '../review/wishes.js';
import type { OptionsOf } from '../table.js';
import { idSpan } from '../transcripts/id-span.js';
import { readSessionFilm, recordingKey } from '../transcripts/session-film.js';
import { findSession, identityDemands, issuerKeys, openTranscripts } from '../transcripts/source.js';

const replayIdleMs = 2000;

export async function run(
  context: CommandContext,
  [id]: readonly string[],
  options: OptionsOf<'review'>,
): Promise<number> {
  const streams = ttyStreams(context);
  const why = streams === undefined ? 'there is no terminal on stdin and stdout' : unfit(context.env);
  if (streams === undefined || why !== undefined) {
    throw new DbguardError('usage', `${why}, and review is a screen`, {
      hint: 'dbguard transcripts list, show, search and verify say the same in lines of text; transcripts page writes it for a browser.',
    });
  }
  const span = idSpan(options);
  const open = await recordingKey(options.identity, context.cwd);
  const transcripts = await openTranscripts(context, options);
  const keys = await issuerKeys(context, options, transcripts);
  const demands = await identityDemands(context, options, transcripts);
  const { bucket } = transcripts;
  const reading: Reading = { transcripts, verify: { source: bucket, keys, demands } };
  const first = id === undefined ? undefined : nameOf(await findSession(bucket, id));
  const place = indexPlace(stateDirs(context.env), bucket.location);
  const tools = await loadBrowserTools();
  const outer = startTerminal(streams, () => process.exit(0));
  const colours = wantsColours(context.env);
  let stop = new AbortController();

  const list = async (browser: Browser): Promise<void> => {
    browser.tell({ kind: 'listing', going: true });
    try {
      await listBucket(bucket, span, place, (sessions) => browser.tell({ kind: 'sessions', sessions }));
    } finally {
      browser.tell({ kind: 'listing', going: false });
    }
  };
  const replay = (browser: Browser, name: string): Promise<void> =>
    browser.lend(async (terminal) => {
      const [{ play }, session] = await Promise.all([
        import('../transcripts/replay-player.js'),
        sessionNamed(bucket, name),
      ]);
      const { verify } = reading;
      const film = await readSessionFilm(
        session,
        bucket,
        { ...verify, now: Date.now() },
        { open, idleMs: replayIdleMs },
      );
      const subject = film.report.open?.subject;
      const who = subject === undefined ? '?' : subjectInFull(subject);
      await play(film, terminal, `${session.sid} ${singleLine(who, 60)} ${film.report.verdict}`, colours);
      const [changed] = recordingFaults(film);
      const missing = film.said.find(({ holds }) => holds !== 'yes');
      if (changed !== undefined) browser.tell({ kind: 'notice', notice: { text: `CHANGED: ${changed}`, tone: 'bad' } });
      else if (missing !== undefined) browser.tell({ kind: 'notice', notice: { text: missing.text, tone: 'plain' } });
    });
  const fulfil = async (want: Want, browser: Browser): Promise<void> => {
    const say = (text: string): void => browser.tell({ kind: 'notice', notice: { text, tone: 'good' } });
    switch (want.kind) {
      case 'open':
        return openSession(reading, want.name, browser.tell, () => browser.state.session?.name === want.name);
      case 'answer':
        return fetchAnswer(reading, want, open, browser.tell);
      case 'verify':
        return verifyOne(reading, want.name, browser.tell);
      case 'verify-all':
        return verifyBucket(reading, browser.tell, stop.signal);
      case 'page':
        return say(await writeSessionPage(reading, want.name, context.cwd));
      case 'replay':
        return replay(browser, want.name);
      case 'redact':
        say(await redact(reading, context.env, want));
        return openSession(reading, want.name, browser.tell, () => browser.state.session?.name === want.name);
      case 'list-again':
        return list(browser);
      case 'stop':
        stop.abort();
    }
  };
  const wish = (want: Want, browser: Browser): void => {
    const busy = busyWords[want.kind];
    if (busy !== undefined) {
      if (stop.signal.aborted) stop = new AbortController();
      browser.tell({ kind: 'busy', text: busy });
    }
    fulfil(want, browser)
      .catch((error: unknown) => {
        if (error instanceof Left) return;
        browser.tell({ kind: 'notice', notice: { text: failureWords(error), tone: 'bad' } });
      })
      .finally(() => busy !== undefined && browser.tell({ kind: 'busy', text: undefined }));
  };

  const browser = new Browser({ tools, outer, location: bucket.location, colours, wish });
  try {
    const listing = list(browser).catch((error: unknown) => {
      browser.tell({ kind: 'notice', notice: { text: failureWords(error), tone: 'bad' } });
    });
    if (first !== undefined) void listing.then(() => browser.tell({ kind: 'open', name: first }));
    await browser.over;
  } finally {
    stop.abort();
    browser.close();
    outer.stop();
  }
  // what still reads a bucket has nobody left to tell
  process.exit(0);
}

const busyWords: Readonly<Partial<Record<Want['kind'], string>>> = {
  verify: 'verifying …',
  'verify-all': 'verifying all sessions … (esc stops)',
  page: 'writing the page …',
  redact: 'signing …',
};

/** Why nothing can be drawn there. */
function unfit(env: NodeJS.ProcessEnv): string | undefined {
  if (env.TERM === 'dumb') return 'this terminal cannot move its cursor (TERM=dumb)';
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  if (locale !== undefined && locale !== '' && !/utf-?8/i.test(locale))
    return `this terminal may not know the characters (${locale}; a UTF-8 locale does)`;
  return undefined;
}
