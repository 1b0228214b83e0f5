import {
  compileField,
  DeclaredProtocol,
  type FieldDeclaration,
  type Form,
  framingType,
  isStandardFraming,
  type MessageDeclaration,
  type NumberType,
  type ProtocolDeclaration,
  parseBits,
  parseNumberType,
  partOf,
  sizingScope,
} from '../protocol/index.ts';
import { LuaFields } from './dissector-fields.ts';
import { luaBits, luaText } from './dissector-lua.ts';
import { LUA_NUMBERS } from './dissector-numbers.ts';
import { constants } from './dissector-places.ts';

/**
 * A Wireshark dissector in Lua. It takes what `heartwire export` writes (link type USER0), in whatever frames; and TCP
 * streams by "Decode As", where messages stand behind four bytes of length with their id in the first byte.
 */
export function luaDissector(declarations: readonly ProtocolDeclaration[]): string {
  const fields = new LuaFields();
  const functions: string[] = [];
  const others = declarations.filter((each) => !isLikeBuiltin(each)).flatMap(partsOf);
  const forms: string[] = [];
  const names = new Map<number, string>();
  for (const declaration of declarations.filter(isLikeBuiltin)) {
    const errors = Object.entries(declaration.errors);
    const errorType =
      declaration.error === undefined ? undefined : parseNumberType(declaration.error, declaration.byteOrder);
    for (const { name, id, forms: ofMessage, declaration: message } of new DeclaredProtocol(declaration)
      .messages) {
      if (id === undefined) continue;
      names.set(id, name);
      const named = Object.fromEntries([...errors, ...Object.entries(message.errors ?? {})]);
      for (const form of ofMessage) {
        const reply = form.kind === 'reply';
        const path = `${name}${reply ? '.reply' : ''}`;
        const called = `decode_${functions.length + 1}`;
        const error = reply && errorType !== undefined ? fields.error(named) : [];
        const body = fields.headed(
          form.fields,
          reply ? name : path,
          declaration,
          { at: 0, lines: [] },
          form.split,
        );
        functions.push(
          `-- ${name}, ${form.kind}`,
          `local function ${called}(buf, tree, at, stop)`,
          '  local v = {}',
          ...error,
          ...indent(body),
          '  return at',
          'end',
          '',
        );
        const minimum = reply ? 2 : form.minLength;
        forms.push(
          `  { id = ${form.id ?? id}, name = ${luaText(name)}, kind = ${luaText(form.kind)}, from = ${luaText(message.from ?? 'any')}, min = ${minimum}, max = ${form.maxLength}, decode = ${called} },`,
        );
      }
    }
  }
  const variants = others.map((declaration) => luaVariant(declaration, fields));
  const valueNames = [...names].map(([id, name]) => `[${id}] = ${luaText(name)}`).join(', ');
  return [
    HEAD(valueNames),
    ...fields.declarations(),
    PROTO_FIELDS,
    ...functions,
    'local forms = {',
    ...forms,
    '}',
    'local variants = {',
    ...variants.flat(),
    '}',
    TAIL,
  ].join('\n');
}

/** A protocol for each of several framings. */
function partsOf(declaration: ProtocolDeclaration): readonly ProtocolDeclaration[] {
  const { framing } = declaration;
  return framing.type === 'several' ? framing.kinds.map((kind) => partOf(declaration, kind)) : [declaration];
}

/** Four bytes of length, and an id in the first byte of the payload. */
function isLikeBuiltin(declaration: ProtocolDeclaration): boolean {
  return isStandardFraming(declaration.framing) && new DeclaredProtocol(declaration).hasBuiltinIds;
}

const indent = (lines: readonly string[]): string[] => lines.map((line) => `  ${line}`);

const HEAD = (
  names: string,
) => `-- Wireshark dissector of the Heartwire device protocol, written by \`heartwire dissector\`.
-- wireshark -X lua_script:heartwire.lua capture.pcapng
local p = Proto("heartwire", "Heartwire")
local f = {}
f.length = ProtoField.uint32("heartwire.length", "Length")
f.id = ProtoField.int8("heartwire.id", "Message id", base.DEC, { ${names} })
f.message = ProtoField.string("heartwire.message", "Message")
f.kind = ProtoField.string("heartwire.kind", "Kind")
f.rest = ProtoField.bytes("heartwire.rest", "Bytes that belong to no field")`;

const PROTO_FIELDS = `
p.fields = f
local short = ProtoExpert.new("heartwire.short", "The frame ends inside a field", expert.group.MALFORMED, expert.severity.ERROR)
local strange = ProtoExpert.new("heartwire.strange", "This is no frame", expert.group.MALFORMED, expert.severity.WARN)
p.experts = { short, strange }

local flags = Field.new("frame.packet_flags_direction")
local comment = Field.new("frame.comment")

local function need(at, count, stop)
  if count < 0 or at + count > stop then error({ short = true }) end
end

local function xor(a, b)
  local result, place = 0, 1
  while a > 0 or b > 0 do
    if a % 2 ~= b % 2 then result = result + place end
    a, b, place = math.floor(a / 2), math.floor(b / 2), place * 2
  end
  return result
end
${LUA_NUMBERS}`;

const TAIL = `
local function form_of(list, buf, from, id, length, inbound)
  local found
  for _, form in ipairs(list) do
    local alike = form.id == id and length >= form.min and length <= form.max
    if alike and (form.fits == nil or form.fits(buf, from)) then
      local sender = form.kind == "reply" and ({ device = "host", host = "device", any = "any" })[form.from] or form.from
      local fits = sender == "any" or inbound == nil or (sender == "device") == inbound
      if fits then return form end
      found = found or form
    end
  end
  return found
end

-- Shows what a form says of the payload; its id and all before it are shown already where it begins behind them.
local function show(form, buf, pinfo, tree, at, stop)
  tree:add(f.message, buf(at > 0 and at - 1 or 0, 1), form.name)
  tree:add(f.kind, buf(at > 0 and at - 1 or 0, 1), form.kind)
  pinfo.cols.info = form.name .. " " .. form.kind
  local ok, behind = pcall(form.decode, buf, tree, at, stop)
  if not ok then
    if type(behind) ~= "table" then error(behind) end
    tree:add_proto_expert_info(short)
  elseif behind < stop then
    tree:add(f.rest, buf(behind, stop - behind))
  end
end

local function frame(buf, pinfo, root)
  pinfo.cols.protocol = "Heartwire"
  if buf:len() == 0 then
    local said = comment()
    pinfo.cols.info = said and said.display or "note or life of the link"
    root:add(p):append_text(": " .. tostring(pinfo.cols.info))
    return 0
  end
  local length = buf:len() >= 4 and buf(0, 4):uint() or -1
  local tree = root:add(p, buf())
  local direction = flags()
  local inbound
  if direction ~= nil and direction.value == 1 then inbound = true end
  if direction ~= nil and direction.value == 2 then inbound = false end
  for _, variant in ipairs(variants) do
    local payload, from, to = variant.unwrap(buf)
    local form = payload and form_of(variant.forms, payload, from, variant.id(payload, from, to), to - from, inbound)
    if form then
      show(form, payload, pinfo, tree, from, to)
      return buf:len()
    end
  end
  if length < 1 or length ~= buf:len() - 4 then
    tree:add_proto_expert_info(strange)
    pinfo.cols.info = "no frame: " .. buf:len() .. " bytes"
    return buf:len()
  end
  local id = buf(4, 1):int()
  tree:add(f.length, buf(0, 4))
  tree:add(f.id, buf(4, 1))
  local form = form_of(forms, buf, 4, id, length, inbound)
  if form == nil then
    pinfo.cols.info = "unknown message " .. id .. ", " .. length .. " bytes"
    if length > 1 then tree:add(f.rest, buf(5)) end
    return buf:len()
  end
  show(form, buf, pinfo, tree, 5, buf:len())
  return buf:len()
end

function p.dissector(buf, pinfo, root)
  if pinfo.port_type == 2 then
    dissect_tcp_pdus(buf, root, 4, function(range) return range(0, 4):uint() + 4 end, frame)
    return buf:len()
  end
  return frame(buf, pinfo, root)
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, p)
DissectorTable.get("tcp.port"):add_for_decode_as(p)
`;

/** One element of `variants` in Lua: messages in frames of their own, or with ids of their own. */
function luaVariant(declaration: ProtocolDeclaration, fields: LuaFields): string[] {
  const { byteOrder, id, framing } = declaration;
  const idType = id === undefined ? undefined : parseNumberType(id.type, byteOrder);
  const errorType =
    declaration.error === undefined ? undefined : parseNumberType(declaration.error, byteOrder);
  const forms = new DeclaredProtocol(declaration).messages.flatMap(
    ({ name, id: value, forms: ofMessage, declaration: message }) =>
      (message.assemble === undefined ? ofMessage : []).map((form) => {
        const named = { ...declaration.errors, ...message.errors };
        const carriesError = form.kind === 'reply' && errorType?.bytes === 1;
        const head = [
          ...(idType === undefined || value === undefined ? [] : [`at = at + ${idType.bytes}`]),
          ...(carriesError ? fields.error(named) : []),
        ];
        const listed = withSelector(withAddress(form.fields, declaration), message, declaration);
        const body = fields.headed(listed, name, declaration, { at: id?.at ?? 0, lines: head }, form.split);
        const least = carriesError ? (idType?.bytes ?? 0) + 1 : form.minLength;
        const fits = carriesError
          ? []
          : [...selectedBits(message, declaration), ...constants(listed, declaration)];
        return [
          `    { id = ${form.id ?? value ?? 'nil'}, name = ${luaText(name)}, kind = ${luaText(form.kind)},`,
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
    ...(framing.type === 'several' ? ['return'] : framingType(framing).luaUnwrap(framing)).map(
      (line) => `      ${line}`,
    ),
    '    end,',
    `    id = function(buf, from, to) ${luaId(idType, id?.at ?? 0)} end,`,
    '    forms = {',
    ...forms.flat().map((line) => `  ${line}`),
    '    },',
    '  },',
  ];
}

/** The fields of a form with the address among them, as one of them. */
function withAddress(fields: readonly FieldDeclaration[], protocol: ProtocolDeclaration) {
  const { address } = protocol;
  if (address === undefined) return fields;
  const shown = address.type === 'bcd' ? { type: 'bytes', length: address.length } : { type: address.type };
  const taken = fields.some(({ name }) => name === 'address');
  let offset = protocol.id !== undefined && protocol.id.at < address.at ? idBytes(protocol) : 0;
  let index = 0;
  for (; index < fields.length && offset < address.at; index++) {
    const field = fields[index];
    if (field !== undefined) offset += compileField(field, sizingScope(protocol)).min;
  }
  return fields.toSpliced(index, 0, { name: taken ? 'device_address' : 'address', ...shown });
}

/** The fields with the parts of the id that no number of the protocol is, each as a constant in its place. */
function withSelector(
  fields: readonly FieldDeclaration[],
  { selects = [] }: MessageDeclaration,
  protocol: ProtocolDeclaration,
): readonly FieldDeclaration[] {
  const { selector = [] } = protocol;
  let listed = fields;
  for (const [part, { type, at, bits }] of selector.entries()) {
    const value = selects[part];
    if (value === undefined || bits !== undefined) continue;
    let offset = 0;
    let index = 0;
    for (; index < listed.length && offset < at; index++) {
      const field = listed[index];
      if (field !== undefined) offset += compileField(field, sizingScope(protocol)).min;
    }
    listed = listed.toSpliced(index, 0, { name: `id_${part + 1}`, type, value });
  }
  return listed;
}

/** Lua conditions that the bits of an id hold. */
function selectedBits(
  { selects = [] }: MessageDeclaration,
  { selector = [], byteOrder }: ProtocolDeclaration,
): readonly string[] {
  return selector.flatMap(({ type, at, bits }, part) => {
    const number = parseNumberType(type, byteOrder);
    const range = bits === undefined ? undefined : parseBits(bits);
    if (range === undefined || number === undefined || selects[part] === undefined) return [];
    const read = `buf(from + ${at}, ${number.bytes}):${number.little ? 'le_' : ''}uint()`;
    return [`${luaBits(read, range.from, range.count)} == ${selects[part]}`];
  });
}

const idBytes = ({ id, byteOrder }: ProtocolDeclaration): number =>
  id === undefined ? 0 : (parseNumberType(id.type, byteOrder)?.bytes ?? 0);

const mostBytes = ({ maxLength }: Form): string => (Number.isFinite(maxLength) ? String(maxLength) : '2^31');

function luaId(type: NumberType | undefined, at: number): string {
  if (type === undefined) return 'return nil';
  const read = `${type.little ? 'le_' : ''}${type.signed ? '' : 'u'}int()`;
  return `if to - from < ${at + type.bytes} then return false end return buf(from + ${at}, ${type.bytes}):${read}`;
}
