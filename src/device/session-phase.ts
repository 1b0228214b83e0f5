import type { Conversation } from './conversation.ts';

/** Where a session is with its link; instants are monotonic ms. */
export type SessionPhase =
  | { readonly name: 'stopped' }
  | { readonly name: 'listening' }
  | { readonly name: 'connecting'; readonly giveUpAt: number }
  | { readonly name: 'waiting'; readonly until: number }
  | { readonly name: 'connected'; readonly conversation: Conversation };

/** When the phase is to be looked at again, monotonic ms; infinite: not by itself. */
export function phaseDeadline(phase: SessionPhase): number {
  switch (phase.name) {
    case 'stopped':
    case 'listening':
      return Number.POSITIVE_INFINITY;
    case 'connecting':
      return phase.giveUpAt;
    case 'waiting':
      return phase.until;
    case 'connected':
      return phase.conversation.nextDeadline();
  }
}
