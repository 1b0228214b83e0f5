import type { LinkEnd } from '../link.ts';

/** A place at which other programs may use the port of a device. */
export type ExposeAddress = { readonly readOnly: boolean } & (
  | { readonly kind: 'pty'; readonly path: string }
  | { readonly kind: 'tcp' | 'rfc2217'; readonly host: string; readonly port: number }
);

/** A program that shares the port. */
export interface Program {
  /** For people: where it comes from. */
  readonly name: string;
  readonly readOnly: boolean;
  /** What the device says. Never waits: what the program does not take is its loss, or its end. */
  write(bytes: Uint8Array): void;
  /** It may send again. */
  resume(): void;
}

/** What an exposure reports. */
export interface ExposureHandlers {
  joined(program: Program): void;
  left(program: Program): void;
  /** False: it is to send nothing more until `resume`. */
  said(program: Program, bytes: Uint8Array): boolean;
  /** It is open, by this name; or who uses it changed. */
  opened(at: string): void;
  /** It can't be opened, or is lost; it is tried again. */
  failed(end: LinkEnd): void;
}

export interface Exposure {
  start(): void;
  /** Nothing is reported afterwards. */
  stop(): void;
  /** Programs that use it now, as far as the system tells. */
  programs(): readonly string[];
}
