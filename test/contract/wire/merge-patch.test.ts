import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/contract/wire/json.ts';
import {
  applyPatch,
  checkDocument,
  diff,
  differs,
  equalJson,
} from '../../../src/contract/wire/merge-patch.ts';

const keys = fc.constantFrom('a', 'b', 'c', 'toString', '__proto__', 'link');
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(fc.oneof(tie('value'), fc.constant(null)), { maxLength: 3 }),
    fc.dictionary(keys, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));
// `letrec` types what it ties as unknown; a dictionary of such values is a document.
const documents = fc.dictionary(keys, value, {
  maxKeys: 5,
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

function throughJson(document: JsonObject): JsonObject {
  return JSON.parse(JSON.stringify(document)) as JsonObject;
}

describe('diff and applyPatch', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject | undefined]>([
    ['equal', { a: 1, b: { c: [1] } }, { b: { c: [1] }, a: 1 }, undefined],
    ['a value', { a: 1 }, { a: 2 }, { a: 2 }],
    ['a new key', { a: 1 }, { a: 1, b: 2 }, { b: 2 }],
    ['a key gone', { a: 1, b: 2 }, { a: 1 }, { b: null }],
    ['undefined is absent', { a: 1, b: 2 }, { a: 1, b: undefined }, { b: null }],
    ['undefined stays absent', { a: undefined }, { b: undefined }, undefined],
    ['only what changed of an object', { a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 3 } }],
    ['an object emptied', { a: { b: 1 } }, { a: {} }, { a: { b: null } }],
    ['an object in place of a value', { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
    ['a value in place of an object', { a: { b: 1 } }, { a: 1 }, { a: 1 }],
    ['arrays are replaced whole', { a: [1, 2] }, { a: [1, 3] }, { a: [1, 3] }],
    ['an array in place of an object', { a: { 0: 1 } }, { a: [1] }, { a: [1] }],
    ['nulls in arrays', { a: [1] }, { a: [null] }, { a: [null] }],
    ['keys that every object inherits', {}, { toString: 'x' }, { toString: 'x' }],
    ['an inherited key gone', { constructor: 1 }, {}, { constructor: null }],
  ])('%s', (_name, from, to, patch) => {
    expect(diff(from, to)).toEqual(patch);
    if (patch !== undefined) expect(applyPatch(from, patch)).toEqual(throughJson(to));
  });

  it('turn any document into any other, over the wire', () => {
    fc.assert(
      fc.property(documents, documents, (from, to) => {
        const patch = diff(from, to);
        const result = patch === undefined ? from : applyPatch(throughJson(from), throughJson(patch));
        expect(equalJson(result, throughJson(to))).toBe(true);
        expect(patch === undefined).toBe(equalJson(from, to));
        expect(differs(from, to)).toBe(patch !== undefined);
      }),
    );
  });

  it('do not look into what is the same object', () => {
    const shared = Object.defineProperty({}, 'trap', {
      enumerable: true,
      get: () => {
        throw new Error('looked into');
      },
    }) as JsonObject;
    expect(diff({ shared, a: 1 }, { shared, a: 2 })).toEqual({ a: 2 });
  });

  it('change neither argument', () => {
    const target = Object.freeze({ a: Object.freeze({ b: 1 }), c: Object.freeze({ d: 1 }) });
    const result = applyPatch(target, { a: { b: null } });
    expect(result).toEqual({ a: {}, c: { d: 1 } });
    expect(result.c).toBe(target.c);
  });

  it('never reach a prototype', () => {
    const result = applyPatch({}, JSON.parse('{"__proto__": {"polluted": 1}}') as JsonObject);
    expect(Object.hasOwn(result, '__proto__')).toBe(true);
    expect('polluted' in result).toBe(false);
  });
});

describe('what a document cannot hold', () => {
  it.each<[string, unknown, string]>([
    ['null', { a: { b: null } }, 'a.b is null'],
    ['NaN', { a: Number.NaN }, 'a is NaN'],
    ['Infinity in an array', { a: [1, Number.POSITIVE_INFINITY] }, 'a.1 is Infinity'],
    ['a bigint', { a: 1n }, 'a is a bigint'],
  ])('%s', (_name, document, message) => {
    // Programs without types hand in such things.
    expect(() => checkDocument(document as JsonObject)).toThrow(message);
    expect(() => diff({}, document as JsonObject)).toThrow(message);
    expect(() => differs({}, document as JsonObject)).toThrow(message);
  });
});
