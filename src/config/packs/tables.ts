import { basename } from 'node:path';
import { type Tables, table } from '../../contract/feed/index.ts';
import { formatProblem } from '../problem.ts';
import { listPacks, shippedPacks } from './find-pack.ts';
import { type Pack, readPack } from './read-pack.ts';

/** The packs that come with Heartwire. @throws Error with everything that is wrong where one cannot be used */
export async function readShippedPacks(folder = shippedPacks()): Promise<readonly Pack[]> {
  const packs: Pack[] = [];
  // Nothing is installed above the root of a file system.
  for (const place of (await listPacks('/', folder)).filter(({ shipped }) => shipped)) {
    const { pack, problems } = await readPack(place);
    if (pack === undefined) throw new Error(problems.map(formatProblem).join('\n'));
    packs.push(pack);
  }
  return packs;
}

/** The tables of docs/reference/protocols.md. */
export const packTables = (packs: readonly Pack[]): Tables => ({
  packs: () =>
    table(
      ['pack', 'maker', 'devices', 'what it is', 'messages', 'published frames', 'traces'],
      packs.map((pack) => [
        `[\`${pack.name}\`](../../packs/${pack.name}/messages.yaml)`,
        pack.maker,
        pack.models.join(', '),
        pack.title,
        String(pack.protocol.messages.length),
        framesText(pack),
        pack.traces.map(({ trace }) => basename(trace)).join(', '),
      ]),
    ),
  'frames that are decoded only': () =>
    table(
      ['pack', 'frame', 'why its values do not encode to it'],
      packs.flatMap(({ name, frames }) =>
        frames.flatMap(({ message, kind, reason }) =>
          reason === undefined ? [] : [[`\`${name}\``, `\`${message}\` (${kind})`, reason]],
        ),
      ),
    ),
  'sources of packs': () =>
    table(
      ['pack', 'source'],
      packs.flatMap(({ name, sources }) => Object.values(sources).map((text) => [`\`${name}\``, text])),
    ),
});

function framesText({ frames }: Pack): string {
  const decodedOnly = frames.filter(({ encode }) => encode === false).length;
  return decodedOnly === 0 ? `${frames.length}, both ways` : `${frames.length}, ${decodedOnly} decoded only`;
}
