import type { PayloadJudge } from '../framing/framing.ts';
import type { ChecksumDeclaration } from '../framing/framing-keys.ts';
import type { FieldDeclaration, Sender } from './declaration.ts';
import type { DeclaredProtocol } from './declared-protocol.ts';
import type { Form } from './message-form.ts';

/** What declared messages know about payloads that come from one side; see `PayloadJudge`. */
export function payloadJudge(protocol: DeclaredProtocol, from?: Sender): PayloadJudge {
  const forms = protocol.messages.flatMap((codec) =>
    codec.forms.filter((form) => codec.mayComeFrom(form, from)),
  );
  const spans = new Map(
    forms.map(({ minLength, maxLength }) => [`${minLength} ${maxLength}`, [minLength, maxLength] as const]),
  );
  return {
    passes: protocol.passes,
    possible: () => true,
    check: (bytes, start, end) => protocol.check(bytes, start, end, from),
    proof(bytes, start, end, awaited) {
      const { form, touched } = protocol.formOf(bytes, start, end, from, awaited);
      return { bits: form?.proofBits ?? -1, touched };
    },
    ends: (bytes, start, end, awaited) => protocol.message(awaited)?.replyEnds(bytes, start, end) === true,
    begins: (bytes, start, end) => protocol.begins(bytes, start, end, from),
    ...(protocol.declaration.framing.type === 'several' ? { of: partJudges(protocol, from) } : {}),
    lengthOf: (bytes, start, end) => protocol.lengthOf(bytes, start, end, from),
    spans: [...spans.values()],
    seal: sealOf(forms, protocol),
  };
}

function partJudges(protocol: DeclaredProtocol, from: Sender | undefined): PayloadJudge['of'] {
  return (kind) => {
    const part = protocol.part(kind);
    return part && payloadJudge(part, from);
  };
}

/** The checksum that ends all forms alike, and covers all in front of it. */
function sealOf(forms: readonly Form[], protocol: DeclaredProtocol): ChecksumDeclaration | undefined {
  const [first, ...others] = forms.map(({ fields }) => endOf(fields, protocol));
  if (first === undefined) return undefined;
  const alike = others.every((each) => each?.algorithm === first.algorithm && each.order === first.order);
  return alike ? first : undefined;
}

function endOf(
  fields: readonly FieldDeclaration[],
  { declaration }: DeclaredProtocol,
): (ChecksumDeclaration & { readonly order: 'big' | 'little' }) | undefined {
  const last = fields.at(-1);
  if (last?.type !== 'crc' || last.algorithm === undefined) return undefined;
  if (last.covers !== undefined || last.when !== undefined) return undefined;
  return { algorithm: last.algorithm, order: last.byteOrder ?? declaration.byteOrder };
}
