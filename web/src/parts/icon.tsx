const line = (d: string, width = 1.8, dashes?: string) => (
  <path
    d={d}
    fill="none"
    stroke-width={width}
    stroke-linecap="round"
    stroke-linejoin="round"
    stroke-dasharray={dashes}
  />
);
const dot = (cx: number, cy: number, r: number) => <circle cx={cx} cy={cy} r={r} stroke="none" />;

/** One sign a meaning: shape says what colour says. */
const SIGNS = {
  all: () => line('M2 4h12M2 8h12M2 12h12', 2),
  online: () => dot(8, 8, 5.5),
  stale: () => <path d="M8 2 15 14H1z" stroke="none" />,
  offline: () => line('m3 3 10 10M13 3 3 13', 2.8),
  away: () => <path d="M13.5 9.6A6 6 0 1 1 6.4 2.5a5 5 0 0 0 7.1 7.1z" stroke="none" />,
  registering: () => (
    <>
      {dot(3, 8, 1.9)}
      {dot(8, 8, 1.9)}
      {dot(13, 8, 1.9)}
    </>
  ),
  unknown: () => <circle cx="8" cy="8" r="5.2" fill="none" stroke-width="1.8" stroke-dasharray="2.6 2.2" />,
  connected: () => (
    <>
      {line('M4 8h8', 2)}
      {dot(3, 8, 2.6)}
      {dot(13, 8, 2.6)}
    </>
  ),
  connecting: () => (
    <>
      {line('M6 8h4', 1.8, '1.4 1.2')}
      {dot(3, 8, 2.6)}
      <circle cx="13" cy="8" r="2" fill="none" stroke-width="1.5" />
    </>
  ),
  listening: () => (
    <>
      {dot(8, 8, 2.4)}
      {line('M3.6 3.6a6.2 6.2 0 0 0 0 8.8M12.4 3.6a6.2 6.2 0 0 1 0 8.8', 1.7)}
    </>
  ),
  backoff: () => (
    <>
      <circle cx="8" cy="8" r="5.8" fill="none" stroke-width="1.7" />
      {line('M8 4.6V8l2.4 1.8', 1.7)}
    </>
  ),
  failed: () => <path d="M5.3 1.5h5.4l3.8 3.8v5.4l-3.8 3.8H5.3l-3.8-3.8V5.3z" stroke="none" />,
  disabled: () => line('M3 8h10', 2.6),
  unnamed: () => (
    <>
      {line('M5.4 5.8a2.6 2.6 0 1 1 3.7 2.3C8.3 8.5 8 9 8 10')}
      {dot(8, 13, 1.2)}
    </>
  ),
  lost: () => (
    <>
      {line('M8 1.5 15.2 14H.8z', 1.7)}
      {line('M8 6v3.6')}
      {dot(8, 11.8, 0.9)}
    </>
  ),
  past: () => (
    <>
      {line('M2.6 5.2A6 6 0 1 1 2 8M2 2.4v3.2h3.2', 1.7)}
      {line('M8 5v3.2l2.2 1.4', 1.7)}
    </>
  ),
  alarm: () => <path d="M8 1 15 8l-7 7-7-7z" stroke="none" />,
  warn: () => <path d="M8 2 15 14H1z" stroke="none" />,
  more: () => line('m6 3 5 5-5 5', 2),
  search: () => (
    <>
      <circle cx="7" cy="7" r="4.4" fill="none" stroke-width="1.7" />
      {line('m10.4 10.4 3.6 3.6', 1.9)}
    </>
  ),
  settings: () => (
    <>
      {line('M2 4.5h7M13 4.5h1M2 11.5h1M7 11.5h7', 1.7)}
      <circle cx="11" cy="4.5" r="2" fill="none" stroke-width="1.6" />
      <circle cx="5" cy="11.5" r="2" fill="none" stroke-width="1.6" />
    </>
  ),
  rows: () => line('M2 4h12M2 8h12M2 12h12', 1.7),
  tiles: () => line('M2.5 2.5h4.5v4.5H2.5zM9 2.5h4.5v4.5H9zM2.5 9h4.5v4.5H2.5zM9 9h4.5v4.5H9z', 1.5),
  pause: () => line('M5.5 3v10M10.5 3v10', 2.4),
  play: () => <path d="M4 2.5v11l9-5.5z" stroke="none" />,
  save: () => line('M8 2v8M4.8 7 8 10.2 11.2 7M2.5 13.5h11', 1.8),
  plot: () => line('M2 13.5h12M2.5 10.5l3.2-4 2.8 2.4L13.5 3', 1.8),
  send: () => line('M2 8h11M9 4l4 4-4 4', 1.9),
  close: () => line('m4 4 8 8M12 4l-8 8', 1.8),
  lock: () => (
    <>
      {line('M4.8 7V5a3.2 3.2 0 0 1 6.4 0v2', 1.7)}
      <path d="M3.5 7h9v6.5h-9z" stroke="none" />
    </>
  ),
} as const;

export type Sign = keyof typeof SIGNS;

export const isSign = (name: string): name is Sign => Object.hasOwn(SIGNS, name);

/** A sign beside a word; screen readers read the word. */
export function Icon({ name }: { readonly name: Sign }) {
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true" class={`icon i-${name}`}>
      {SIGNS[name]()}
    </svg>
  );
}

/** The sign of Heartwire. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true" class="mark">
      <path
        d="M1 17h8l3.5-9 6 17 4-8H31"
        fill="none"
        stroke-width="3"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
