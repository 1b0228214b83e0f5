import { DEFAULT_EVERY_MS, MOST_COILS, MOST_REGISTERS, type RegisterMap, type Table } from './declaration.ts';
import { inOrder, isBitTable, type PlacedRegister } from './place.ts';

/** Registers that one request reads, in the order of their addresses. */
export interface Block {
  readonly table: Table;
  readonly everyMs: number;
  readonly start: number;
  /** Registers or coils, those between that are not in the map included. */
  readonly count: number;
  readonly registers: readonly PlacedRegister[];
}

/** The requests that read all registers which are read: neighbours with one pace come in one request. */
export function planReads(placed: readonly PlacedRegister[], map: RegisterMap): readonly Block[] {
  const { everyMs: usual = DEFAULT_EVERY_MS, maxGap = 0, maxRead = MOST_REGISTERS } = map;
  const read = placed.filter(({ declaration }) => declaration.read !== false);
  const paces = new Map<string, PlacedRegister[]>();
  for (const each of inOrder(read)) {
    const pace = `${each.table} ${each.declaration.everyMs ?? usual}`;
    const same = paces.get(pace);
    if (same === undefined) paces.set(pace, [each]);
    else same.push(each);
  }
  const blocks: Block[] = [];
  for (const registers of paces.values()) {
    let block: { start: number; end: number; registers: PlacedRegister[] } | undefined;
    for (const each of registers) {
      const most = isBitTable(each.table) ? MOST_COILS : maxRead;
      const end = each.address + each.size;
      if (block !== undefined && each.address - block.end <= maxGap && end - block.start <= most) {
        block.registers.push(each);
        block.end = end;
        continue;
      }
      if (block !== undefined) close(block);
      block = { start: each.address, end, registers: [each] };
    }
    if (block !== undefined) close(block);
  }
  return blocks.sort((a, b) => a.everyMs - b.everyMs);

  function close({
    start,
    end,
    registers,
  }: {
    start: number;
    end: number;
    registers: PlacedRegister[];
  }): void {
    const [first] = registers;
    if (first === undefined) return;
    const { table, declaration } = first;
    blocks.push({ table, everyMs: declaration.everyMs ?? usual, start, count: end - start, registers });
  }
}
