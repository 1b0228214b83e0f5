import type * as Decoder from '../../../src/inspection/browser.ts';
import type * as Reader from './messages-reader.ts';

/** The decoder and the reader of messages are loaded when the inspector is opened, and then need no bridge any more. */
let decoder: Promise<typeof Decoder> | undefined;
let reader: Promise<typeof Reader> | undefined;

export const loadDecoder = (): Promise<typeof Decoder> =>
  (decoder ??= import('../../../src/inspection/browser.ts').catch((cause: unknown) => {
    decoder = undefined;
    throw cause;
  }));

export const loadReader = (): Promise<typeof Reader> =>
  (reader ??= import('./messages-reader.ts').catch((cause: unknown) => {
    reader = undefined;
    throw cause;
  }));

/** So that a file can be dropped while the bridge is away. */
export function loadAll(): void {
  void loadDecoder().catch(() => undefined);
  void loadReader().catch(() => undefined);
}
