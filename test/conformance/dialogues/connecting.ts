import { closed, type Dialogue, ready, until } from '../../helpers/dialogue.js';
import { functionCall, int32, message, query, specialRequest, startup } from '../../helpers/wire-messages.js';

/** The first packet, settings in it, and clients that do not keep to the protocol. */
export const connecting: readonly Dialogue[] = [
  { name: 'hello and goodbye', steps: [] },
  {
    name: 'settings in the startup packet',
    startup: {
      application_name: 'tester',
      TimeZone: 'UTC',
      client_encoding: 'LATIN1',
      extra_float_digits: '0',
      work_mem: '3MB',
    },
    steps: [query('SHOW work_mem; SHOW extra_float_digits; SHOW client_encoding'), ready()],
  },
  {
    name: 'options in the startup packet',
    startup: { options: '-c statement_timeout=5s -c search_path=pg_catalog\\,public --work_mem=2MB' },
    steps: [query('SHOW statement_timeout; SHOW search_path; SHOW work_mem'), ready()],
  },
  { name: 'a setting that does not exist', startup: { no_such_setting: '1' }, steps: [closed()] },
  { name: 'a setting with a bad value', startup: { work_mem: 'a lot' }, steps: [closed()] },
  { name: 'a database that does not exist', startup: { database: 'no such database' }, steps: [closed()] },
  { name: 'protocol 3.2', protocol: [3, 2], since: 18, steps: [query('SELECT 1'), ready()] },
  { name: 'protocol 3.99', protocol: [3, 99], since: 18, steps: [query('SELECT 1'), ready()] },
  {
    name: 'options of the protocol that nobody knows',
    startup: { '_pq_.first': '1', '_pq_.second': 'x' },
    steps: [query('SELECT 1'), ready()],
  },
  { name: 'protocol 2', ownAnswer: 'closes', login: false, steps: [startup({ user: 'postgres' }, [2, 0]), closed()] },
  {
    name: 'protocol 4',
    ownAnswer: 'same-code',
    login: false,
    steps: [startup({ user: 'postgres' }, [4, 0]), closed()],
  },
  {
    name: 'no user',
    ownAnswer: 'same-code',
    login: false,
    steps: [startup({ database: 'postgres' }, [3, 0]), closed()],
  },
  { name: 'encryption where there is none', login: false, steps: [specialRequest(5679), until('byte N')] },
  { name: 'a length that is too short', login: false, steps: [int32(3), int32(0), closed()] },
  { name: 'goodbye before hello', login: false, steps: [message('X'), closed()] },
  {
    name: 'an application without a name',
    startup: { application_name: '' },
    steps: [query('SHOW application_name'), ready()],
  },
  {
    name: 'a length that is too long',
    ownAnswer: 'closes',
    login: false,
    steps: [int32(100_000_000), int32(196_608), closed()],
  },
  { name: 'HTTP', login: false, steps: [Buffer.from('GET / HTTP/1.1\r\n\r\n'), closed()] },
  { name: 'a message type that does not exist', ownAnswer: 'same-code', steps: [message('y'), closed()] },
  {
    name: 'a message that is shorter than it must be',
    ownAnswer: 'closes',
    steps: [Buffer.from('Q\0\0\0\x03'), closed()],
  },
  { name: 'a string without its end', ownAnswer: 'closes', steps: [message('Q', Buffer.from('SELECT 1')), ready()] },
  {
    name: 'a query with bytes behind its end',
    ownAnswer: 'closes',
    steps: [message('Q', Buffer.from('SELECT 1\0SELECT 2\0')), ready()],
  },
  {
    name: 'a Parse that ends too early',
    ownAnswer: 'closes',
    steps: [message('P', Buffer.from('s\0SELECT 1')), message('S'), ready()],
  },
  {
    name: 'a Bind that promises more values',
    ownAnswer: 'closes',
    steps: [message('B', Buffer.from('\0\0\0\0\0\x05')), message('S'), ready()],
  },
  {
    name: 'a function called by its number',
    steps: [functionCall(1619, ['1', 'x']), ready(), functionCall(870, ['ABC']), ready(), functionCall(1, []), ready()],
  },
  {
    name: 'invalid UTF-8 in a query',
    steps: [message('Q', Buffer.from("SELECT '\xc3\x28'\0", 'latin1')), ready(), query('SELECT 1'), ready()],
  },
  {
    name: 'a session user and a role',
    steps: [
      query(
        'SELECT session_user, current_user; CREATE ROLE conformance_role; SET ROLE conformance_role; SELECT current_user; RESET ROLE; DROP ROLE conformance_role',
      ),
      ready(),
    ],
  },
];
