/** What a TLS handshake with a server came to. */
export interface TlsSession {
  readonly protocol: string;
  readonly cipher: string;
  /** The server proved who it is, at least by a certificate of a known root. */
  readonly verified: boolean;
  /** `tls-server-end-point` data; undefined where the certificate's signature has no hash of its own. */
  readonly certificateHash: Buffer | undefined;
}
