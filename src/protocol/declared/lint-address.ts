import { addressForm } from './address-field.ts';
import type { ProtocolDeclaration } from './declaration.ts';
import type { Findings } from './finding.ts';
import { parseNumberType } from './number-type.ts';

/** Checks where and how a protocol carries the addresses of devices. */
export function lintAddress({ address, id, byteOrder, maxFrame }: ProtocolDeclaration, findings: Findings) {
  if (address === undefined) return;
  const path = ['protocol', 'address'];
  const form = addressForm(address, byteOrder);
  if (form === undefined) {
    if (address.type === 'bcd') {
      const message = 'Nothing says how many bytes the address has.';
      findings.add(
        'config_missing_key',
        [...path, 'length'],
        message,
        'Add `length: 6`, or as many as it has.',
      );
      return;
    }
    findings.add(
      'config_bad_value',
      [...path, 'type'],
      'An address is an unsigned number of 8 to 48 bits, or `bcd`.',
      'Write for example u8, or { type: bcd, length: 6 }.',
    );
    return;
  }
  if (address.type !== 'bcd' && address.length !== undefined) {
    const message = `\`${address.type}\` has a length of its own.`;
    findings.add('config_no_effect', [...path, 'length'], message, 'Remove it.', 'warning');
  }
  if (!Number.isInteger(address.at) || address.at < 0 || address.at + form.bytes > maxFrame) {
    const message = 'This is no offset in the payload.';
    findings.add('config_bad_value', [...path, 'at'], message, 'Count the bytes in front of the address.');
  }
  const { broadcast } = address;
  if (broadcast !== undefined && broadcast > form.greatest) {
    const message = `The messages carry addresses up to ${form.greatest}.`;
    findings.add('config_bad_value', [...path, 'broadcast'], message, 'Write a smaller one.');
  }
  const idBytes = id === undefined ? 0 : (parseNumberType(id.type, byteOrder)?.bytes ?? 0);
  if (id === undefined || id.at + idBytes <= address.at || address.at + form.bytes <= id.at) return;
  findings.add(
    'config_conflict',
    [...path, 'at'],
    `The address and the id both stand at byte ${Math.max(id.at, address.at)}.`,
    `Write where the other one stands, for example \`id: { type: ${id.type}, at: ${address.at + form.bytes} }\`.`,
  );
}
