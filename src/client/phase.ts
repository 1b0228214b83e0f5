/**
 * Where the conversation stands.
 *
 *     waiting ──▶ opening ──welcome──▶ authenticating ──▶ resuming ──▶ open
 *        ▲           │                     │                 │          │
 *        └───────────┴──────── lost ───────┴─────────────────┴──────────┘       closed: for good, from anywhere
 *
 * Subscriptions are stated from `resuming` on. Commands are sent only in `open`: before the former session has
 * answered, it is not known whether asking again is asking twice.
 */
export type Phase =
  /** The first two end by themselves, at `atMs`. */
  | { readonly kind: 'waiting'; readonly atMs: number; readonly retryAt: number }
  | { readonly kind: 'opening'; readonly atMs: number }
  /** Until the message of this `id` is answered; without one, the token is awaited. */
  | { readonly kind: 'authenticating'; readonly id: string | undefined }
  | { readonly kind: 'resuming'; readonly id: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' };
