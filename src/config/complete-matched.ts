import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { BARE_KEYS } from './bare-shape.ts';
import { completeSession } from './complete-session.ts';
import { dialInLife } from './dial-in-life.ts';
import { checkIdentity } from './identity.ts';
import { keysGiven } from './keys-given.ts';
import type { DeviceConfig, MatchConfig } from './model.ts';
import type { Finding, Path } from './problem.ts';
import { recordOf } from './record-of.ts';
import { type DefaultsShape, type DeviceShape, DIALLED_KEYS } from './shape.ts';

type Add = (finding: Finding) => void;

/** Fills in what a device leaves out that dials in; undefined where it cannot be run, which has then been added. */
export function completeMatched(
  given: DeviceShape,
  match: NonNullable<DeviceShape['match']>,
  defaults: DefaultsShape,
  path: Path,
  add: Add,
  messages: DeclaredProtocol | undefined,
): DeviceConfig | undefined {
  warnOfDialledKeys(given, path, add);
  if (given.session === 'none') checkBareMatch(match, path, add);
  else if (match.imei === undefined && match.appid === undefined && match.from === undefined) {
    add({
      code: 'config_missing_key',
      path: [...path, 'match'],
      message: 'Nothing says by what the device is known.',
      fix: 'Add `imei:`, `appid:` or `from:` below `match:`.',
    });
  }
  const place = { device: given.id, role: 'server', transport: 'tcp' } as const;
  const session = completeSession(given, { ...defaults, session: 'standard' }, place, path, add);
  checkIdentity(match, given.identity ?? defaults.identity ?? 'standard', [...path, 'match'], add);
  const { imei, appid, from } = match;
  const complete: MatchConfig = {
    ...(imei === undefined ? {} : { imei }),
    ...(appid === undefined ? {} : { appid }),
    ...(from === undefined ? {} : { from: typeof from === 'string' ? [from] : from }),
  };
  if (session === undefined) return undefined;
  const life = dialInLife(given, defaults, session, messages, path, add);
  return { kind: 'matched', id: given.id, match: complete, ...life, session, ...recordOf(given, defaults) };
}

function warnOfDialledKeys(given: DeviceShape, path: Path, add: Add): void {
  const bare = given.session === 'none';
  for (const key of keysGiven(given, DIALLED_KEYS)) {
    if (key === 'session' || (bare && BARE_DIAL_IN_KEYS.has(key))) continue;
    add({
      severity: 'warning',
      code: 'config_no_effect',
      path: [...path, key],
      atKey: true,
      message: `\`${key}\` has no effect on a device that dials in.`,
      fix: 'Remove it.',
    });
  }
}

/** Keys of dialled devices that count for one that dials in without a register, too. */
const BARE_DIAL_IN_KEYS: ReadonlySet<string> = new Set([...Object.keys(BARE_KEYS), 'line', 'gap']);

/** Who never registers is known by where it comes from. */
function checkBareMatch(
  { imei, appid, from }: NonNullable<DeviceShape['match']>,
  path: Path,
  add: Add,
): void {
  const registers = imei !== undefined ? 'imei' : appid !== undefined ? 'appid' : undefined;
  if (registers === undefined && from !== undefined) return;
  add({
    code: registers === undefined ? 'config_missing_key' : 'config_conflict',
    path: registers === undefined ? [...path, 'match'] : [...path, 'match', registers],
    message: `With \`session: none\` the device never registers${registers === undefined ? '' : `, so it shows no ${registers}`}: it is known by its address.`,
    fix:
      registers === undefined
        ? 'Add `from:` with its address below `match:`.'
        : 'Write its address instead, `from: 10.0.0.7`, or remove `session: none`.',
  });
}
