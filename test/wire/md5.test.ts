import t from 'tap';
import { md5Response } from '../../src/wire/md5.js';

t.test('the response that a server computes from pg_authid', async (t) => {
  // SELECT 'md5' || md5(convert_to(md5('secret' || 'app'), 'UTF8') || '\\x01020304'::bytea), by a server
  t.equal(md5Response('app', 'secret', Buffer.from([1, 2, 3, 4])), 'md5911f527656472583a006e7727877b33e');
  t.not(
    md5Response('app', 'secret', Buffer.from([1, 2, 3, 5])),
    md5Response('app', 'secret', Buffer.from([1, 2, 3, 4])),
  );
});
