import { DEFAULT_PROTOCOL, type MessageDeclaration, type ProtocolDeclaration } from './declaration.ts';

/** `any` admits an appid or IMEI that is other printable text of the same length. */
export const IDENTITY_RULES = ['standard', 'any'] as const;

export type IdentityRule = (typeof IDENTITY_RULES)[number];

const APPID_LENGTH = 36;
const IMEI_LENGTH = 15;

/** The longest of them, a register request with its id, in bytes. */
export const LONGEST_BUILTIN = 1 + APPID_LENGTH + IMEI_LENGTH;

/** Characters that the identity of a register request has. */
export const IDENTITY_LENGTHS = { appid: APPID_LENGTH, imei: IMEI_LENGTH } as const;

/** The three messages of the built-in protocol in the language of declared ones. */
function builtinDeclarations(identity: IdentityRule = 'standard'): readonly MessageDeclaration[] {
  const any = identity === 'any';
  return [
    {
      name: 'register',
      description: 'Who the sender says it is.',
      id: 0x00,
      from: 'any',
      reply: 'status',
      fields: [
        {
          name: 'appid',
          type: 'text',
          length: APPID_LENGTH,
          encoding: 'ascii',
          content: any ? 'printable' : 'uuid',
        },
        {
          name: 'imei',
          type: 'text',
          length: IMEI_LENGTH,
          encoding: 'ascii',
          content: any ? 'printable' : 'digits',
        },
      ],
    },
    { name: 'heartbeat', description: 'I am alive, are you?', id: 0x01, from: 'any', reply: 'status' },
    {
      name: 'datetime',
      description: "What the answerer's local time is.",
      id: 0x02,
      from: 'any',
      reply: {
        fields: [{ name: 'datetime', type: 'text', length: 19, encoding: 'ascii', content: 'datetime' }],
      },
    },
  ];
}

/** The built-in protocol, as a file without a word about it means it. */
export function builtinDeclaration(identity?: IdentityRule): ProtocolDeclaration {
  const errors = { '0': 'success', '-1': 'error' };
  return { ...DEFAULT_PROTOCOL, errors, messages: builtinDeclarations(identity) };
}

/** The first message that has an id or a name of a built-in one, and that one's name. */
export function clashWithBuiltin(
  messages: readonly MessageDeclaration[],
): { readonly message: MessageDeclaration; readonly builtin: string } | undefined {
  const builtins = builtinDeclarations();
  for (const message of messages) {
    const taken = builtins.find(({ name, id }) => name === message.name || id === message.id);
    if (taken !== undefined) return { message, builtin: taken.name };
  }
  return undefined;
}

/**
 * A declaration with the built-in messages in front, where they travel in the same frames and their ids and names are
 * free.
 */
export function withBuiltin(declaration: ProtocolDeclaration): ProtocolDeclaration {
  const { id, framing, messages } = declaration;
  const alike =
    framing.type === 'length' &&
    framing.length === 'u32be' &&
    id?.at === 0 &&
    (id.type === 'i8' || id.type === 'u8');
  return alike && clashWithBuiltin(messages) === undefined
    ? { ...declaration, messages: [...builtinDeclarations(), ...messages] }
    : declaration;
}
