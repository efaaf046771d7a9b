/** The OpenID provider of end-to-end tests, the demo and the benchmarks: a real one, and a person who confirms by program. */
import type { ProviderOptions } from '../identity/provider.js';

export interface TestIdp {
  /** http://127.0.0.1:port */
  readonly issuer: string;
  readonly clientId: string;
  readonly subject: string;
  readonly email: string;
  /** Plays the browser on the page that `dbguard login` shows; resolves to what the page says at the end. */
  approve(verificationUriComplete: string, decision?: 'confirm' | 'abort'): Promise<string>;
  close(): Promise<void>;
}

/** Carries the nonce of a device login, as Keycloak does, unless told otherwise. */
export async function startIdp(options: ProviderOptions = {}): Promise<TestIdp> {
  return quietly(async () => {
    const { Browser, clientId, startProvider } = await import('../identity/provider.js');
    const provider = await startProvider({ returnsDeviceNonce: true, ...options });
    return {
      issuer: provider.issuer,
      clientId,
      subject: provider.subject,
      email: `${provider.subject}@example.test`,
      approve: (page, decision) => new Browser().confirmDevice(page, decision),
      close: () => provider.close(),
    };
  });
}

/** oidc-provider warns, of Node 20 and of keeping its state in memory, which is what tests want. */
async function quietly<Result>(work: () => Promise<Result>): Promise<Result> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}
