import { luhnValid } from '../protocol/luhn.ts';
import type { Finding, Path } from './problem.ts';

/** Checks an appid and an IMEI by what the protocol can carry, and by what they usually are unless `identity: any`. */
export function checkIdentity(
  given: { readonly appid?: string | undefined; readonly imei?: string | undefined },
  identity: 'standard' | 'any',
  path: Path,
  add: (finding: Finding) => void,
): void {
  const { appid, imei } = given;
  if (appid !== undefined) {
    const problem = identity === 'any' ? wrongLength(appid, 36) : wrongUuid(appid);
    if (problem !== undefined) addBad('appid', problem, path, add);
  }
  if (imei === undefined) return;
  const problem = identity === 'any' ? wrongLength(imei, 15) : wrongImei(imei);
  if (problem !== undefined) addBad('imei', problem, path, add);
  else if (/^\d{15}$/.test(imei) && !luhnValid(imei)) {
    add({
      severity: 'warning',
      code: 'config_unlikely',
      path: [...path, 'imei'],
      message: 'The last digit of this IMEI is not its check digit.',
      fix: 'Compare it with the device; if the device really has it, nothing need be done.',
    });
  }
}

type Wrong = readonly [message: string, fix: string];

function addBad(key: string, [message, fix]: Wrong, path: Path, add: (finding: Finding) => void): void {
  add({ code: 'config_bad_value', path: [...path, key], message, fix });
}

function wrongLength(text: string, length: number): Wrong | undefined {
  if (!/^[\x20-\x7e]*$/.test(text))
    return ['The text holds characters that are not ASCII.', 'Use ASCII only.'];
  if (text.length === length) return undefined;
  return [
    `The text has ${text.length} characters, and its field in the frame has ${length}.`,
    `Write ${length}.`,
  ];
}

function wrongUuid(text: string): Wrong | undefined {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return undefined;
  const digits = text.replace(/[-{}]/g, '');
  const fix = /^[0-9a-f]{32}$/i.test(digits)
    ? `Write ${digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}.`
    : 'Write 8-4-4-4-12 hex digits, or add `identity: any` where it is other text.';
  return ['This is no UUID.', fix];
}

function wrongImei(text: string): Wrong | undefined {
  if (/^\d{15}$/.test(text)) return undefined;
  const digits = text.replace(/[\s-]/g, '');
  const what =
    /^\d+$/.test(digits) && digits === text ? `This IMEI has ${text.length} digits.` : 'This is no IMEI.';
  const fix = /^\d{15}$/.test(digits)
    ? `Write "${digits}".`
    : 'Write its 15 digits, or add `identity: any` where it is other text of 15 characters.';
  return [what, fix];
}
