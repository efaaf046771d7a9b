/** What `dbguard deploy` writes, as text. */
export interface DeployedFile {
  /** From the folder that it is written into. */
  readonly path: string;
  readonly text: string;
  readonly executable?: boolean;
}

export interface DeployOptions {
  /** Of dbguard. */
  readonly version: string;
  /** Reference of the gateway's image. */
  readonly image: string;
}
