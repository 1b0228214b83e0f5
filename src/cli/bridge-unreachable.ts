import { HeartwireError } from '../errors.ts';

/** No bridge answered at `url`, as `feedUrl` makes it. `why` is the word of the socket, `program` what starts a bridge. */
export function bridgeUnreachable(url: string, why: string, program: string, more = ''): HeartwireError {
  return new HeartwireError(
    'bridge_unreachable',
    `The bridge at ${url} could not be reached: ${oneLine(why)}.`,
    {
      seen: url,
      fix:
        mendOf(url, why) ??
        `Start it with "${program} run", or say where it is with --url or HEARTWIRE_URL${more}.`,
    },
  );
}

/** Something answers there; what stands between is TLS. */
function mendOf(url: string, why: string): string | undefined {
  const secure = url.startsWith('wss:');
  if (secure && /self-signed|unable to (?:get|verify)/.test(why)) {
    return 'Name its certificate, or that of its authority, in NODE_EXTRA_CA_CERTS; docs/deploy.md shows how.';
  }
  if (secure && /wrong version number|packet length too long/.test(why)) {
    return 'It seems to serve no TLS: write http:// in --url or HEARTWIRE_URL.';
  }
  if (!secure && /socket hang up|ECONNRESET/.test(why)) {
    return 'If it serves TLS, write https:// in --url or HEARTWIRE_URL.';
  }
  return undefined;
}

/** OpenSSL ends its words with a colon and a new line. */
const oneLine = (why: string): string => why.replace(/\s+/g, ' ').replace(/[\s:.]+$/, '');
