/** The files of a certificate and its key. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}
