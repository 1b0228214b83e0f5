/** Turns a moment into `YYYY-MM-DD HH:MM:SS` on the wall of a time zone (IANA name; absent: this machine's). */
export function localTimeFormatter(timeZone?: string): (wallMs: number) => string {
  // `h23` and not `hour12: false`: the latter writes 24:05 at midnight in some locales.
  const format = new Intl.DateTimeFormat('en-GB', {
    ...(timeZone === undefined ? {} : { timeZone }),
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (wallMs) => {
    const parts = new Map(format.formatToParts(wallMs).map(({ type, value }) => [type, value]));
    const part = (type: Intl.DateTimeFormatPartTypes, width: number): string =>
      (parts.get(type) ?? '').padStart(width, '0');
    const date = `${part('year', 4)}-${part('month', 2)}-${part('day', 2)}`;
    return `${date} ${part('hour', 2)}:${part('minute', 2)}:${part('second', 2)}`;
  };
}
