/** What `dbguard init` asks, in which order. Later questions depend on earlier answers. */

import type { Question } from '../../ui/guide/guide-state.js';
import { singleLine } from '../../untrusted-text.js';
import type { Offer } from '../settings/found-connection.js';
import { foundAnswer } from './answers.js';

export type QuestionId =
  | 'database'
  | 'password'
  | 'environment'
  | 'issuer'
  | 'client'
  | 'login'
  | 'bucket'
  | 'practice'
  | 'write';

/** On what the questions depend beside the answers. */
export interface Asking {
  readonly found: readonly Offer[];
  /** The server wanted one, and none was found. */
  readonly passwordWanted: boolean;
  /** Where the file will be. */
  readonly file: string;
  /** Editors find one already. */
  readonly hasSchema: boolean;
  /** A screen: there is a prompt to practise with. */
  readonly screen: boolean;
}

type Asked = Question & { readonly id: QuestionId };

export function questionsFor(answers: Readonly<Record<string, string>>, asking: Asking): readonly Asked[] {
  const { found, passwordWanted, file, hasSchema, screen } = asking;
  const isFound = found.some((one) => foundAnswer(one) === answers.database);
  const some = (answers.database ?? '') !== '';
  return [
    databaseQuestion(found),
    ...(passwordWanted && some ? [password] : []),
    ...(isFound ? [] : [environment]),
    issuer,
    ...((answers.issuer ?? '') === '' ? [] : [client, login]),
    bucket,
    ...(screen ? [practice] : []),
    {
      id: 'write',
      kind: 'choice',
      title: 'Write it',
      about: `Nothing has been written so far. The file is ${file}; every line of it is explained in it.`,
      choices: [
        { value: 'yes', text: `write ${file}` },
        ...(hasSchema ? [] : [{ value: 'schema', text: 'and its schema beside it, by which editors complete it' }]),
      ],
    },
  ];
}

function databaseQuestion(found: readonly Offer[]): Asked {
  const [first] = found;
  return {
    id: 'database',
    kind: 'text',
    title: 'Database',
    about:
      'As psql takes it, such as postgresql://user@host/database. A password in it is used to try it out and is not written. Empty leaves it for later.',
    ...(first === undefined ? {} : { initial: foundAnswer(first) }),
    choices: found.map((one) => {
      const gets = one.carries.length === 0 ? '' : `, gets ${one.carries.join(', ')}`;
      const text = `${foundAnswer(one)}: ${singleLine(one.found.to, 120)}${gets} (${singleLine(one.found.says, 120)})`;
      return { value: foundAnswer(one), text };
    }),
  };
}

const password: Asked = {
  id: 'password',
  kind: 'secret',
  title: 'Password',
  about:
    'To try the database out; it is written nowhere. For every run put it into ~/.pgpass or PGPASSWORD. Empty goes on without.',
};

const environment: Asked = {
  id: 'environment',
  kind: 'choice',
  title: 'Environment',
  about: 'What the database is for. Prompts show it, and rules can tell them apart.',
  choices: [
    { value: 'production', text: 'production: the strictest' },
    { value: 'staging', text: 'staging' },
    { value: 'development', text: 'development' },
  ],
};

const issuer: Asked = {
  id: 'issuer',
  kind: 'text',
  title: 'Identity',
  about:
    'The OpenID Connect provider that says who is at work, such as https://login.example.com. Empty: a key of this machine signs, and nobody vouches for it.',
};

const client: Asked = {
  id: 'client',
  kind: 'text',
  title: 'Client id',
  about: 'The name under which dbguard is registered at that provider.',
  initial: 'dbguard',
};

const login: Asked = {
  id: 'login',
  kind: 'choice',
  title: 'Login',
  about: 'Binds this machine’s signing key to you. It is kept, whatever becomes of the other answers.',
  choices: [
    { value: 'device', text: 'log in now, with a code on any device' },
    { value: 'browser', text: 'log in now, in a browser on this machine' },
    { value: 'later', text: 'later, with dbguard login' },
  ],
};

const bucket: Asked = {
  id: 'bucket',
  kind: 'text',
  title: 'Transcripts',
  about:
    'Where signed transcripts go: s3://bucket/prefix, with Object Lock where nobody may delete them, or file:./folder. Empty: a folder of your own.',
};

const practice: Asked = {
  id: 'practice',
  kind: 'choice',
  title: 'Practice',
  about: 'One question as agents will cause them, on this screen. Nothing runs, whatever you answer.',
  choices: [
    { value: 'now', text: 'show me one' },
    { value: 'no', text: 'not now' },
  ],
};
