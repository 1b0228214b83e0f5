import { DEFAULT_PROTOCOL, type ProtocolDeclaration } from '../protocol/declared/declaration.ts';

/** The three built-in messages in the language of declared ones, for whoever only wants to show them. */
export const BUILTIN_DECLARATION: ProtocolDeclaration = {
  ...DEFAULT_PROTOCOL,
  errors: { '0': 'success', '-1': 'error' },
  messages: [
    {
      name: 'register',
      id: 0,
      from: 'any',
      reply: 'status',
      fields: [
        { name: 'appid', type: 'text', length: 36, content: 'uuid' },
        { name: 'imei', type: 'text', length: 15, content: 'digits' },
      ],
    },
    { name: 'heartbeat', id: 1, from: 'any', reply: 'status' },
    {
      name: 'datetime',
      id: 2,
      from: 'any',
      reply: { fields: [{ name: 'datetime', type: 'text', length: 19, content: 'datetime' }] },
    },
  ],
};
