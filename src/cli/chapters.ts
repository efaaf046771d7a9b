/** The chapters of the documentation, in the terminal: the very files that lie beside the code they are about. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { installedFile } from './version.js';

interface Chapter {
  /** From the root of the package. */
  readonly file: string;
  readonly about: string;
  /** Further words for it. */
  readonly words?: readonly string[];
  /** Commands and groups whose help names it. */
  readonly commands?: readonly string[];
}

/** By the word behind `dbguard help`; none of them is a command's or a group's. */
export const chapters: Readonly<Record<string, Chapter>> = {
  configuration: {
    file: 'src/io/README.md',
    about: 'every key of dbguard.yaml, every variable, every exit code',
    words: ['config', 'settings', 'variables', 'exit-codes'],
    commands: ['init', 'policy lint', 'trust'],
  },
  policies: {
    file: 'src/policy/README.md',
    about: 'what is asked about or denied: profiles and rules',
    words: ['rules', 'profiles'],
    commands: ['policy', 'explain'],
  },
  roles: {
    file: 'src/policy/ACCESS.md',
    about: 'roles that exist for one statement, for a login that has little',
    commands: ['access', 'access setup', 'access grant'],
  },
  approval: {
    file: 'src/approval/README.md',
    about: 'the question, its answers, and what surrounds it',
    words: ['prompt'],
    commands: ['approvals', 'approve', 'deny', 'mark'],
  },
  sandbox: {
    file: 'src/run/README.md',
    about: 'the fence around an agent: what it sees, and what it does not stop',
    words: ['fence', 'agents', 'network'],
    commands: ['run', 'hook'],
  },
  tools: {
    file: 'src/cli/mcp/README.md',
    about: 'dbguard mcp: what a model gets, tickets, and who answers',
    commands: ['mcp'],
  },
  masking: {
    file: 'src/masking/README.md',
    about: 'which columns are hidden, and how',
    words: ['masks'],
    commands: ['mask'],
  },
  protocol: {
    file: 'src/proxy/README.md',
    about: 'what clients notice of the proxy',
    words: ['clients'],
    commands: ['proxy'],
  },
  gateway: {
    file: 'src/cli/serve/README.md',
    about: 'dbguard serve: a gateway for a team and its services',
    commands: ['serve', 'token'],
  },
  providers: {
    file: 'src/identity/PROVIDERS.md',
    about: 'identity providers, CI systems, levels of evidence',
    words: ['identity', 'levels'],
    commands: ['login', 'logout', 'whoami'],
  },
  buckets: {
    file: 'src/io/bucket/README.md',
    about: 'where transcripts go, and the rights of a bucket',
    commands: ['transcripts check-bucket', 'upload'],
  },
  evidence: {
    file: 'src/review/README.md',
    about: 'what verify proves, and what it does not',
    words: ['verification'],
    commands: ['transcripts', 'review', 'transcripts verify', 'transcripts page', 'transcripts reconcile'],
  },
  queries: {
    file: 'src/review/QUERIES.md',
    about: 'SQL over all verified sessions: what counts, what it reaches',
    words: ['sql'],
    commands: ['transcripts query', 'transcripts report', 'transcripts export'],
  },
  recordings: {
    file: 'src/review/RECORDINGS.md',
    about: 'what is recorded beside the transcript, who reads it, and replay',
    commands: ['transcripts replay'],
  },
  format: { file: 'src/transcript/FORMAT.md', about: 'transcripts byte by byte, for a verifier of your own' },
};

/** The topic that a word means, also by one of its other words. */
export function topicOf(word: string): string | undefined {
  return Object.keys(chapters).find((topic) => topic === word || chapters[topic]?.words?.includes(word));
}

export const topicWords = Object.entries(chapters).flatMap(([topic, { words = [] }]) => [topic, ...words]);

/** @param path of a command or a group */
export function topicsAbout(path: string): string[] {
  return Object.keys(chapters).filter((topic) => chapters[topic]?.commands?.includes(path));
}

/** @param topic one of `chapters` */
export function chapterText(topic: string): string {
  const chapter = chapters[topic];
  if (chapter === undefined) throw new TypeError(`no chapter ${topic}`);
  return withoutLinks(readFileSync(installedFile(chapter.file), 'utf8'), posix.dirname(chapter.file));
}

export function chapterList(): string {
  const width = Math.max(...Object.keys(chapters).map((topic) => topic.length));
  return Object.entries(chapters)
    .map(([topic, { about }]) => `  ${topic.padEnd(width)}  ${about}\n`)
    .join('');
}

/** A link to another chapter says how to read it; comments for the tests that hold a table are left out. */
function withoutLinks(markdown: string, folder: string): string {
  return markdown.replace(/<!--.*?-->\n?/gs, '').replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, words, target) => {
    if (/^https?:/.test(target)) return `${words} <${target}>`;
    const path = posix.join(folder, target.replace(/#.*$/, ''));
    const topic = Object.keys(chapters).find((one) => chapters[one]?.file === path);
    return topic === undefined ? words : `${words} (dbguard help ${topic})`;
  });
}
