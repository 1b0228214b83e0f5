import type { ProtocolDeclaration } from './declaration.ts';
import type { Scope } from './field-codec.ts';

/** Where a field is compiled to see how long it is. */
export function sizingScope(protocol: ProtocolDeclaration): Scope {
  return {
    byteOrder: protocol.byteOrder,
    enums: protocol.enums,
    limit: protocol.maxFrame,
    referred: new Set(),
    covered: new Set(),
    targets: new Map(),
    ahead: new Map(),
    marks: new Map(),
    next: { slot: 0, mark: 0 },
    tail: 0,
    slot: -1,
  };
}
