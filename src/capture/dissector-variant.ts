import type { ProtocolDeclaration } from '../protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import type { Form } from '../protocol/declared/message-codec.ts';
import { type NumberType, parseNumberType } from '../protocol/declared/number-type.ts';
import { constants, type LuaFields } from './dissector-fields.ts';
import { luaUnwrap } from './dissector-framing.ts';
import { luaText } from './lua-text.ts';

/** One element of `variants` in Lua: messages in frames of their own, or with ids of their own. */
export function luaVariant(declaration: ProtocolDeclaration, fields: LuaFields): string[] {
  const { byteOrder, id, framing } = declaration;
  const idType = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
  const errorType =
    declaration.error === undefined ? undefined : parseNumberType(declaration.error, byteOrder);
  const forms = new DeclaredProtocol(declaration).messages.flatMap(
    ({ name, id: value, forms: ofMessage, declaration: message }) =>
      ofMessage.map((form) => {
        const named = { ...declaration.errors, ...message.errors };
        const carriesError = form.kind === 'reply' && errorType?.bytes === 1;
        const head = [
          ...(idType === undefined || value === undefined ? [] : [`at = at + ${idType.bytes}`]),
          ...(carriesError ? fields.error(named) : []),
        ];
        const body = fields.headed(form.fields, name, declaration, { at: id?.at ?? 0, lines: head });
        const least = carriesError ? (idType?.bytes ?? 0) + 1 : form.minLength;
        const fits = carriesError ? [] : constants(form.fields, declaration);
        return [
          `    { id = ${value ?? 'nil'}, name = ${luaText(name)}, kind = ${luaText(form.kind)},`,
          `      from = ${luaText(message.from ?? 'any')}, min = ${least}, max = ${mostBytes(form)},`,
          ...(fits.length === 0
            ? []
            : [`      fits = function(buf, from) return ${fits.join(' and ')} end,`]),
          '      decode = function(buf, tree, at, stop)',
          '        local v = {}',
          ...body.map((line) => `        ${line}`),
          '        return at',
          '      end },',
        ];
      }),
  );
  return [
    '  {',
    '    unwrap = function(buf)',
    ...luaUnwrap(framing).map((line) => `      ${line}`),
    '    end,',
    `    id = function(buf, from, to) ${luaId(idType, id?.at ?? 0)} end,`,
    '    forms = {',
    ...forms.flat().map((line) => `  ${line}`),
    '    },',
    '  },',
  ];
}

const mostBytes = ({ maxLength }: Form): string => (Number.isFinite(maxLength) ? String(maxLength) : '2^31');

function luaId(type: NumberType | undefined, at: number): string {
  if (type === undefined) return 'return nil';
  const read = `${type.little ? 'le_' : ''}${type.signed ? '' : 'u'}int()`;
  return `if to - from < ${at + type.bytes} then return false end return buf(from + ${at}, ${type.bytes}):${read}`;
}
