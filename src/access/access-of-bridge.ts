import { CLOSE_TO_NETWORK, openToNetwork } from '../config/access.ts';
import type { BridgeConfig } from '../config/model.ts';
import { HeartwireError } from '../errors.ts';
import type { Log } from '../system/log.ts';
import type { Authenticator } from './authenticator.ts';

/**
 * Refuses to serve other machines without asking for a token, unless that is spelled out, which is then said.
 * @throws HeartwireError `config_insecure`
 */
export function requireClosed({ server, access }: Pick<BridgeConfig, 'server' | 'access'>, log: Log): void {
  const open = openToNetwork(server, access);
  if (open === undefined) return;
  const message = `Whoever reaches ${open.host} (${open.key}) may use the bridge without a token.`;
  if (access?.insecure !== true) {
    throw new HeartwireError('config_insecure', message, { seen: open.host, fix: CLOSE_TO_NETWORK });
  }
  log.warn({ code: 'config_insecure' }, `${message} The configuration says so: insecure: true.`);
}

/**
 * Takes over who may do what from another version of the configuration. Where that cannot be, all goes on as before:
 * then it returns what stands in the way.
 */
export async function followAccess(
  auth: Authenticator,
  config: BridgeConfig,
  log: Log,
): Promise<HeartwireError | undefined> {
  try {
    requireClosed(config, log);
    await auth.replace(config.access);
    return undefined;
  } catch (error) {
    if (error instanceof HeartwireError) return error;
    throw error;
  }
}
