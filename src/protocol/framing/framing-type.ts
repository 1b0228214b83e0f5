import type { KeyTable } from '../keys.ts';
import type { Framing } from './framing.ts';
import type { FramingProblem } from './framing-problem.ts';
import type { FrameLocation } from './locate.ts';

/** All there is to one way to tell frames apart; `D` is what a declaration of it says. */
export interface FramingType<D> {
  /** Its keys in `messages.yaml`, beside `type`. */
  readonly keys: KeyTable;
  make(declaration: D): Framing;
  /** Whether its frames can be told from those of other framings on one line: by a mark, or by what proves them. */
  readonly isAmongOthers: boolean;
  /** What is wrong with a declaration, beyond the types of its parts and what concerns every framing. */
  check?(declaration: D): Iterable<FramingProblem>;
  /**
   * For the dissector of Wireshark: the body of a Lua function that finds the payload of a frame, `buf`. It returns what
   * the payload lies in, where it begins and where it ends, or nothing where this is no such frame.
   */
  luaUnwrap(declaration: D): readonly string[];
  /**
   * Where the bytes of a payload stand in the frame in which it came, and what surrounds them; undefined where that
   * cannot be said. Looks at each byte of the frame a bounded number of times.
   */
  locate(declaration: D, wire: Uint8Array, payload: Uint8Array): FrameLocation | undefined;
}
