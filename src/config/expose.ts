import { isIP } from 'node:net';
import { z } from 'zod';
import { type ExposeAddress, parseListenAddress, placeLabel } from '../links/index.ts';
import { isLoopback } from '../system/index.ts';

import { badValue, flagField, textField } from './field.ts';
import type { Finding, Path } from './problem.ts';

const hostAndPort = (what: string, description: string, example: string) =>
  textField(what, example, { description, examples: [example] }, (text) => {
    const parsed = parseListenAddress(`tcp-listen:${text}`);
    return parsed.ok ? undefined : badValue(parsed.problem, `Write HOST:PORT, for example ${example}.`);
  });

/** One place at which other programs may use the port; exactly one of the first three. */
const exposeShape = z.strictObject({
  pty: textField(
    'a path',
    '/run/heartwire/psu-1',
    {
      description: 'A pseudo-terminal under this path: programs open it as the serial port of the device.',
      examples: ['/run/heartwire/psu-1'],
    },
    (text) =>
      text === '' || text.endsWith('/')
        ? badValue('This is no path of a file.', 'Write for example /run/heartwire/psu-1.')
        : undefined,
  ).optional(),
  tcp: hostAndPort('an address', 'The bytes of the device at this address.', '127.0.0.1:4001').optional(),
  rfc2217: hostAndPort(
    'an address',
    'The same as a serial server with RFC 2217.',
    '127.0.0.1:2217',
  ).optional(),
  read_only: flagField({
    description: 'Programs there see what the device says, and send nothing.',
  }).prefault(false),
});

/** A key of a device. */
export const exposeField = z
  .array(exposeShape)
  .optional()
  .meta({ description: 'Where other programs may use the port of the device, in turn with the bridge.' });

type Add = (finding: Finding) => void;

type ExposeShape = z.output<typeof exposeField>;

/** The places of a device; what is wrong with them has then been added. */
export function completeExpose(given: ExposeShape, path: Path, add: Add): readonly ExposeAddress[] {
  const labels = new Set<string>();
  return (given ?? []).flatMap((each, index): readonly ExposeAddress[] => {
    const at = [...path, 'expose', index];
    const address = addressOf(each);
    if (address === undefined) {
      add({
        code: [each.pty, each.tcp, each.rfc2217].every((one) => one === undefined)
          ? 'config_missing_key'
          : 'config_conflict',
        path: at,
        message: 'A place has one of `pty`, `tcp` and `rfc2217`.',
        fix: 'Write for example `{ pty: /run/heartwire/psu-1 }`, one entry for each place.',
      });
      return [];
    }
    const label = placeLabel(address);
    if (labels.has(label) && !label.endsWith(':0')) {
      add({
        code: 'config_conflict',
        path: at,
        message: `${label} stands twice in this list.`,
        fix: 'Remove one of the two.',
      });
    }
    labels.add(label);
    if (address.kind !== 'pty' && !isOwn(address.host)) {
      add({
        severity: 'warning',
        code: 'config_insecure',
        path: [...at, address.kind],
        message: `Every program that reaches ${address.host} can ${address.readOnly ? 'read' : 'use'} the port: it asks for no token.`,
        fix: 'Write 127.0.0.1, or keep the network closed.',
      });
    }
    return [address];
  });
}

const isOwn = (host: string): boolean => host === 'localhost' || (isIP(host) !== 0 && isLoopback(host));

function addressOf({
  pty,
  tcp,
  rfc2217,
  read_only: readOnly,
}: NonNullable<ExposeShape>[number]): ExposeAddress | undefined {
  if ([pty, tcp, rfc2217].filter((each) => each !== undefined).length !== 1) return undefined;
  if (pty !== undefined) return { kind: 'pty', path: pty, readOnly };
  const parsed = parseListenAddress(`tcp-listen:${tcp ?? rfc2217 ?? ''}`);
  if (!parsed.ok) return undefined;
  const { host, port } = parsed.value;
  return { kind: tcp === undefined ? 'rfc2217' : 'tcp', host, port, readOnly };
}
