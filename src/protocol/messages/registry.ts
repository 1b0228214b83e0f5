import { type MessageDefinition, ProtocolDefinition } from '../definition.ts';
import { datetimeMessage } from './datetime.ts';
import { heartbeatMessage } from './heartbeat.ts';
import { type IdentityRule, registerMessage } from './register.ts';

export interface BuiltinOptions {
  /** Default `standard`: the appid is a UUID in text form, the IMEI is 15 digits. */
  readonly identity?: IdentityRule;
  /** Upper bound of a payload on a stream, in bytes; 1 MiB by default. */
  readonly maxFrame?: number;
}

/** The messages that every device of the built-in protocol knows; others may be listed behind them. */
export function builtinMessages(identity: IdentityRule = 'standard'): readonly MessageDefinition[] {
  return [
    registerMessage(identity), //
    heartbeatMessage,
    datetimeMessage,
  ];
}

/** The built-in protocol. */
export function builtinProtocol(options: BuiltinOptions = {}): ProtocolDefinition {
  return new ProtocolDefinition(builtinMessages(options.identity), options.maxFrame);
}
