import type { Conversation } from './conversation.ts';

/** Where a session is with its link; instants are monotonic ms. */
export type SessionPhase =
  | { readonly name: 'stopped' }
  | { readonly name: 'listening' }
  | { readonly name: 'connecting'; readonly giveUpAt: number }
  | { readonly name: 'waiting'; readonly until: number }
  | { readonly name: 'connected'; readonly conversation: Conversation };
