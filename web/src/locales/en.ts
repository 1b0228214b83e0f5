/** Every text of the page; the other languages have the same keys, or they do not compile. */
export const en = {
  units: { ms: 'ms', s: 's', min: 'min', h: 'h', d: 'd' },
  age: {
    for: (span: string) => `for ${span}`,
    ago: (span: string) => `${span} ago`,
    in: (span: string) => `in ${span}`,
    since: (moment: string) => `since ${moment}`,
  },
  app: {
    pages: 'Pages',
    overview: 'Devices',
    plots: 'Plots',
    inspector: 'Frames',
    incidents: 'Incidents',
    events: 'Events',
    bridge: 'Bridge',
    start: 'First steps',
    loading: 'Loading …',
    loadFailed: 'This part of the page could not be loaded.',
    reload: 'Load again',
    notFound: 'There is nothing here',
    notFoundText: 'The address names no page of this bridge.',
    toOverview: 'All devices',
    skip: 'Skip to the content',
    menu: 'Menu',
    close: 'Close',
  },
  settings: {
    title: 'Settings',
    theme: 'Appearance',
    auto: 'As the system',
    light: 'Light',
    dark: 'Dark',
    language: 'Language',
    token: 'Use another token',
  },
  palette: {
    title: 'Go to a device, a page or a setting',
    placeholder: 'Device, page, setting …',
    nothing: 'Nothing fits.',
    hint: '↑ ↓ to choose · Enter to go · Esc to close',
    device: 'device',
    page: 'page',
    setting: 'setting',
    open: 'Search everything',
  },
  feed: {
    live: 'Live',
    connecting: 'Connecting',
    waiting: 'Waiting',
    recovering: 'Catching up',
    lost: 'Bridge lost',
    noBridge: 'No bridge',
    notLetIn: 'Not let in',
    past: 'The past',
    retry: 'Try now',
    asking: 'Asking the bridge for its devices.',
    wantsToken: 'The bridge wants a token.',
    catchingUp: 'The connection is back. What changed meanwhile is on its way.',
    connected: 'Connected to the bridge.',
    onlyCovered: 'only the devices that the token covers',
    listeningOn: (addresses: string) => `listening on ${addresses}`,
    unnamed: (count: number) => `${count} ${count === 1 ? 'connection' : 'connections'} without a name`,
    lastKnown: (time: string, span: string) => `All below is last known, from ${time} (${span} ago). `,
    said: (what: string) => `It said: ${what}. `,
    staysAway: 'It does not want this page to come back by itself.',
    wantsAnother: 'It wants another token.',
    nextTry: (seconds: number) => `Next try in ${seconds} s.`,
    silent: 'Nothing comes from it any more; it was asked for a sign of life.',
    trying: 'Trying to reach it…',
    lostTitle: 'BRIDGE LOST',
    pastTitle: 'PAST',
    online: (online: number, all: number) => `${online}/${all} online`,
  },
  token: {
    title: 'This bridge wants a token',
    label: 'Token',
    open: 'Open',
    kept: 'It is kept for this tab only, and goes to the bridge over the feed, never in an address.',
    makes: 'makes one.',
  },
  status: {
    online: 'online',
    stale: 'stale',
    offline: 'offline',
    registering: 'registering',
    away: 'away',
    unknown: 'unknown',
  },
  link: {
    connected: 'connected',
    connecting: 'connecting',
    listening: 'listening',
    backoff: 'backoff',
    failed: 'failed',
    disabled: 'disabled',
    unknown: 'unknown',
  },
  quality: { alarm: 'alarm', warn: 'warn', stale: 'stale', invalid: 'invalid' },
  /** The codes of reasons, where a language has other words for them than the code itself. */
  reasons: {} as Readonly<Record<string, string>>,
} as const;

/** The same keys; texts and functions of any wording. */
type Wording<T> = {
  readonly [K in keyof T]: T[K] extends string
    ? string
    : T[K] extends (...args: infer A) => string
      ? (...args: A) => string
      : Wording<T[K]>;
};

export type Messages = Wording<typeof en>;
