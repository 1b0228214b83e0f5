import { acceptedTransport, parseListenAddress } from '../links/index.ts';
import type { DeclaredProtocol } from '../protocol/index.ts';
import { dialInLife, recordOf } from './complete-device.ts';
import { type Add, completeSession } from './complete-session.ts';
import { resolveKeys } from './keys.ts';
import type { ListenerConfig } from './model.ts';
import type { Path } from './problem.ts';
import { ADMISSION, type DefaultsShape, type ListenerShape } from './shape.ts';

/** What a listener admits where nothing is given. */
export const ADMISSION_DEFAULTS = resolveKeys(ADMISSION);

/** Fills in what a listener leaves out; undefined where it cannot be run, which has then been added. */
export function completeListener(
  given: ListenerShape,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages?: DeclaredProtocol,
): ListenerConfig | undefined {
  const link = parseListenAddress(given.link);
  const transport = link.ok ? acceptedTransport(link.value) : 'tcp';
  const place = { device: '', role: 'server', transport } as const;
  // A peer that dials in is known by its register, unless the listener itself says otherwise.
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add, messages);
  if (given.session === 'none') checkBareListener(given, path, add);
  else if (session?.bare === undefined) warnOfListenersLine(given, path, add);
  if (!link.ok || session === undefined) return undefined;
  return {
    link: link.value,
    ...resolveKeys(ADMISSION, given),
    ...dialInLife(given, defaults, session, messages, path, add),
    session,
    ...recordOf(given, defaults),
  };
}

function checkBareListener(given: ListenerShape, path: Path, add: Add): void {
  if (given.anonymous !== 'by-address') {
    add({
      code: given.anonymous === undefined ? 'config_missing_key' : 'config_conflict',
      path: [...path, 'anonymous'],
      message:
        'With `session: none` no device registers, so one that dials in can only be named by its address.',
      fix: 'Write `anonymous: by-address`, or remove `session: none`.',
    });
  }
  if (given.unknown === undefined) return;
  add({
    severity: 'warning',
    code: 'config_no_effect',
    path: [...path, 'unknown'],
    atKey: true,
    message: '`unknown` has no effect with `session: none`, where no device registers.',
    fix: 'Remove it.',
  });
}

function warnOfListenersLine(given: ListenerShape, path: Path, add: Add): void {
  for (const key of ['line', 'gap'] as const) {
    if (given[key] === undefined) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on devices that register.`,
      fix: 'Remove it, or add `session: none`.',
    });
  }
}
