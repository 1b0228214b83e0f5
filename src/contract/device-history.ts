import type { StateDocument } from './feed/index.ts';
import type { Values } from './value.ts';

/** Keeps what one device was and measured; synchronous, and never waits for a disk. */
export interface DeviceHistory {
  /** Its document, each time that it changed. */
  state(document: StateDocument): void;
  /** The values of one message, by the name of their group in the state; also where they are those of before. */
  measured(group: string, values: Values): void;
  /** Nothing follows. */
  close(): void;
}
