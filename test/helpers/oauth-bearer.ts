/** A client that logs in to a gateway by OAUTHBEARER, as libpq does (RFC 7628). */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as tls } from 'node:tls';
import { encodeSaslInitialResponse, encodeSaslResponse } from '../../src/wire/authentication.js';
import { encodeSslRequest, encodeStartup } from '../../src/wire/startup.js';

/** ReadyForQuery, outside of a transaction. */
export const ready = 'Z\u0000\u0000\u0000\u0005I';

/** All that the gateway says until it is ready, or has hung up. @param auth `Bearer ...`; empty: asks where to get a token */
export async function speakOauth(port: number, ca: string, user: string, auth: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(encodeSslRequest());
  await once(socket, 'data');
  const secure = tls({ socket, ca, host: '127.0.0.1' });
  let [said, answered] = ['', false];
  secure.on('data', (chunk) => {
    said += chunk.toString('latin1');
    // an error of the mechanism is answered with one byte
    if (said.includes('openid-configuration') && !answered) {
      answered = true;
      secure.write(encodeSaslResponse(Buffer.from([1])));
    }
  });
  secure.on('error', () => undefined);
  const until = async (look: () => boolean): Promise<void> => {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) if (look()) return;
    throw new Error('it did not come');
  };
  secure.write(
    encodeStartup(0, [
      ['user', user],
      ['database', 'shop'],
    ]),
  );
  await until(() => said.includes('OAUTHBEARER'));
  secure.write(encodeSaslInitialResponse('OAUTHBEARER', Buffer.from(`n,,\x01auth=${auth}\x01\x01`)));
  await until(() => said.includes(ready) || secure.destroyed || said.includes('FATAL'));
  secure.destroy();
  return said;
}
