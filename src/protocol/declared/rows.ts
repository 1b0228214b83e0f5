import type { Value } from './value.ts';

// The engine keeps what it knows of a store at the place of that store in the code. Where all messages shared one place,
// it would know nothing of any: each store costs ten times as much. So there are several places, all the same, and a
// structure that is read takes the next one.

/** Values by name, in the order of their names. */
export type Row = Record<string, Value>;

type Given = Value | undefined;

/** Makes an object of up to eight values; those that are undefined are left out. */
export type RowMaker = (
  a: Given,
  b: Given,
  c: Given,
  d: Given,
  e: Given,
  f: Given,
  g: Given,
  h: Given,
) => Row;

/** Values of one maker at most. */
export const ROW_LENGTH = 8;

type RowConstructor = new (never: false) => Row;

/** Makes empty objects that have room for eight values: an engine sees how many a constructor names. */
function roomyObjects(): RowConstructor {
  function Roomy(this: Row, never: boolean): void {
    if (!never) return;
    this.a = 0;
    this.b = 0;
    this.c = 0;
    this.d = 0;
    this.e = 0;
    this.f = 0;
    this.g = 0;
    this.h = 0;
  }
  Roomy.prototype = Object.prototype;
  // A function that is called with `new` makes what it is given as `this`.
  return Roomy as unknown as RowConstructor;
}

type Names = readonly string[];
type MakeMaker = (names: Names, Objects: RowConstructor) => RowMaker;

/** All the same, each with places of its own. */
const PLACES: readonly MakeMaker[] = [
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
  ([na = '', nb = '', nc = '', nd = '', ne = '', nf = '', ng = '', nh = ''], Objects) =>
    (a, b, c, d, e, f, g, h) => {
      const row = new Objects(false);
      if (a !== undefined) row[na] = a;
      if (b !== undefined) row[nb] = b;
      if (c !== undefined) row[nc] = c;
      if (d !== undefined) row[nd] = d;
      if (e !== undefined) row[ne] = e;
      if (f !== undefined) row[nf] = f;
      if (g !== undefined) row[ng] = g;
      if (h !== undefined) row[nh] = h;
      return row;
    },
];

let taken = 0;

/** A maker of objects with these names, at most `ROW_LENGTH`; its place in the code is taken when it is first used. */
export function rowMaker(names: Names): RowMaker {
  let make: RowMaker | undefined;
  return (a, b, c, d, e, f, g, h) => {
    make ??= nextMaker(names);
    return make(a, b, c, d, e, f, g, h);
  };
}

function nextMaker(names: Names): RowMaker {
  const place = PLACES[taken++ % PLACES.length] ?? PLACES[0];
  if (place === undefined) throw new Error('there are no places');
  return place(names, roomyObjects());
}
