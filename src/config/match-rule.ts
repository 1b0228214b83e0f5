import { type AddressBlock, parseBlock } from '../contract/address-match.ts';
import type { MatchConfig } from './model.ts';

/** A `match` made ready to be compared with many others. */
export interface MatchRule {
  readonly imei: string | undefined;
  /** In lower case: UUIDs do not differ by it. */
  readonly appid: string | undefined;
  readonly from: readonly AddressBlock[] | undefined;
  /** It never registers: whoever calls from there is this device. */
  readonly bare: boolean;
}

export function matchRule({ imei, appid, from }: MatchConfig, bare: boolean): MatchRule {
  return {
    bare,
    imei,
    appid: appid?.toLowerCase(),
    from: from?.flatMap((text) => parseBlock(text) ?? []),
  };
}

/** Whether a peer can match both. */
export function rulesOverlap(a: MatchRule, b: MatchRule): boolean {
  // From the address of a device that never registers nobody is expected to register, unless that is said of the other.
  if (a.bare !== b.bare && (a.from === undefined || b.from === undefined)) return false;
  if (a.imei !== undefined && b.imei !== undefined && a.imei !== b.imei) return false;
  if (a.appid !== undefined && b.appid !== undefined && a.appid !== b.appid) return false;
  if (a.from === undefined || b.from === undefined) return true;
  return a.from.some((one) => b.from?.some((other) => inside(one, other) || inside(other, one)));
}

/** Whether every peer that matches `b` matches `a`. */
export function ruleCovers(a: MatchRule, b: MatchRule): boolean {
  if (a.imei !== undefined && a.imei !== b.imei) return false;
  if (a.appid !== undefined && a.appid !== b.appid) return false;
  if (a.from === undefined) return true;
  return b.from?.every((one) => a.from?.some((other) => inside(one, other))) ?? false;
}

/** Whether the first block lies in the second. */
function inside(inner: AddressBlock, outer: AddressBlock): boolean {
  if (inner.bytes.length !== outer.bytes.length || inner.prefix < outer.prefix) return false;
  for (let bit = 0, index = 0; bit < outer.prefix; bit += 8, index++) {
    const mask = 0xff & (0xff << Math.max(0, bit + 8 - outer.prefix));
    if ((((inner.bytes[index] ?? 0) ^ (outer.bytes[index] ?? 0)) & mask) !== 0) return false;
  }
  return true;
}
