import { batch, computed, effect, signal } from '@preact/signals';
import {
  type Client,
  type ClientError,
  type ClientStatus,
  connect,
  type ServerMessage,
} from '../../../src/client/index.ts';
import { clock } from './clock.ts';

/** How true the view is, as the banner says it. */
export type Phase = 'connecting' | 'live' | 'recovering' | 'lost';

/** Why a connection is lost, where the bridge said nothing about it. */
export const OWN_REASONS: readonly unknown[] = [
  undefined,
  'unreachable',
  'connection_lost',
  'silent',
  'no_welcome',
  'closed',
];

/** What every page of this program follows. */
const TOPICS = ['devices/+/state', 'devices/+/stats', 'bridge/status'];
/** Of each document of a list; the first change comes at once. Who shows one device, or plots it, follows it in full. */
const LIST_HZ = 4;
const KINDS = ['state', 'stats'];
const TOKEN = 'heartwire-token';

/** What is known of the connection to the bridge. */
export const feed = {
  phase: signal<Phase>('connecting'),
  status: signal<ClientStatus>({ state: 'connecting', since: Date.now(), attempt: 0 }),
  /** The token covers less than this page would follow. */
  limited: signal(false),
  /** The bridge asks for tokens at all. */
  asksTokens: signal(false),
  /** The form for a token is shown. */
  wantsToken: signal(false),
  /** What the bridge said about the last token. */
  tokenComplaint: signal(''),
  role: signal<string | undefined>(undefined),
  /** A client with everything that hangs on it; a new one in place of one that is closed. */
  client: signal<Client | undefined>(undefined),
};

/** Whether this page may send commands; a bridge without tokens lets every client do so. */
export const mayCommand = computed(() => feed.role.value === undefined || feed.role.value !== 'read');
export const mayAdminister = computed(() => feed.role.value === undefined || feed.role.value === 'admin');

let granted: readonly string[] = [];
let tokenTyped: ((token: string) => void) | undefined;

/** Connects; what a former client had is shown until there is something newer. */
export function startFeed(): void {
  const client = connect(undefined, { token: askToken });
  granted = [];
  batch(() => {
    feed.client.value = client;
    feed.limited.value = false;
    feed.role.value = undefined;
  });
  follow(client, TOPICS);
  client.on('message', (message) => {
    clock.heard(message.timestamp);
    noticeGrant(message);
  });
  client.on('status', (status) => showStatus(client, status));
  client.on('error', (error) => console.warn('The bridge answered with an error:', error));
  showStatus(client, client.status);
}

function noticeGrant(message: ServerMessage): void {
  if (message.type !== 'response') return;
  const { subject, topics, role } = message.payload.result;
  if (subject === undefined || !Array.isArray(topics)) return;
  granted = topics.filter((each): each is string => typeof each === 'string');
  feed.role.value = typeof role === 'string' ? role : undefined;
}

function follow(client: Client, topics: readonly string[]): void {
  client
    .subscribe(topics, { maxHz: LIST_HZ })
    .ready.catch((error: ClientError) => followLess(client, topics, error));
}

/** A token that does not cover all of it may cover a part: each topic by itself, then the devices that it names. */
function followLess(client: Client, topics: readonly string[], { code }: ClientError): void {
  if (code !== 'forbidden' || client !== feed.client.value) return;
  if (topics.length > 1) {
    for (const each of topics) follow(client, [each]);
    return;
  }
  if (topics[0] !== 'devices/+/state') return;
  feed.limited.value = true;
  const wanted = granted
    .filter((each) => each.startsWith('devices/'))
    .flatMap((each) => {
      const [, id, kind] = each.split('/');
      if (kind === undefined || kind === '#' || kind === '+')
        return KINDS.map((which) => `devices/${id}/${which}`);
      return KINDS.includes(kind) ? [each] : [];
    });
  if (wanted.length > 0) client.subscribe([...new Set(wanted)], { maxHz: LIST_HZ });
}

function showStatus(client: Client, status: ClientStatus): void {
  if (client !== feed.client.value) return;
  batch(() => {
    feed.status.value = status;
    feed.phase.value = phaseOf(status, feed.phase.value);
    if (status.state === 'closed') askAgainForToken(status);
  });
}

/** A connection that was there once and is not is lost; one that was never there is lost after the first attempt. */
export function phaseOf({ state, attempt }: Pick<ClientStatus, 'state' | 'attempt'>, before: Phase): Phase {
  if (state === 'connected') return 'live';
  if (state === 'recovering') return before === 'live' ? 'live' : 'recovering';
  if (state === 'connecting') return attempt > 0 ? 'lost' : 'connecting';
  return 'lost';
}

/** Waits no longer for the next attempt. */
export function retryNow(): void {
  if (feed.status.value.state === 'closed') startFeed();
  else feed.client.value?.retryNow();
}

/** The token: kept for this tab's session, and never in the address. */
function askToken({ renew }: { readonly renew: boolean }): string | Promise<string> {
  feed.asksTokens.value = true;
  const known = sessionToken();
  if (known !== undefined && !renew) return known;
  feed.wantsToken.value = true;
  return new Promise((resolve) => {
    tokenTyped = resolve;
  });
}

/** One that the bridge refused is forgotten. */
function askAgainForToken({ reason = '', detail }: ClientStatus): void {
  if (!['unauthorized', 'token_expired', 'token_missing'].includes(reason)) return;
  sessionStorage.removeItem(TOKEN);
  feed.tokenComplaint.value = detail ?? reason.replaceAll('_', ' ');
  feed.wantsToken.value = true;
}

/** The token that was typed into the form. */
export function giveToken(token: string): void {
  sessionStorage.setItem(TOKEN, token);
  feed.wantsToken.value = false;
  feed.tokenComplaint.value = '';
  const waiting = tokenTyped;
  tokenTyped = undefined;
  if (waiting === undefined) retryNow();
  else waiting(token);
}

/** Follows the documents of one device at their full rate, until the end. */
export function followFully(device: string): () => void {
  return effect(() => {
    const client = feed.client.value;
    if (client === undefined) return undefined;
    // One by one: a token may cover only one of them.
    const subscriptions = KINDS.map((kind) => client.subscribe(`devices/${device}/${kind}`));
    return () => {
      for (const each of subscriptions) each.unsubscribe();
    };
  });
}

/** Forgets the token of this tab and asks for one. */
export function forgetToken(): void {
  sessionStorage.removeItem(TOKEN);
  feed.client.value?.close();
  startFeed();
}

/** The token of this tab, for requests over HTTP. */
export function sessionToken(): string | undefined {
  return sessionStorage.getItem(TOKEN) ?? undefined;
}
