import { expect, expectTypeOf, it } from 'vitest';
import type * as contract from '../../../src/contract/feed/server-messages.ts';
import type * as topics from '../../../src/contract/feed/topic-documents.ts';
import { wireTypesText } from '../../../src/contract/feed/wire-types-text.ts';
import type * as plain from '../../../src/contract/wire/wire-types.ts';
import { readProjectFile } from '../../support/project-files.ts';

const words = (text: string): string => text.replace(/[\s;(),|'"]/g, '');

it('the plain types of the client are those of the contracts (else run `npm run generate`)', () => {
  expect(words(readProjectFile('src/contract/wire/wire-types.ts'))).toBe(words(wireTypesText()));
});

it('they and the types of the contracts take each other', () => {
  expectTypeOf<plain.ServerMessage>().toExtend<contract.ServerMessage>();
  expectTypeOf<contract.ServerMessage>().toExtend<plain.ServerMessage>();
  expectTypeOf<topics.StateDocument>().toExtend<plain.StateDocument>();
  expectTypeOf<plain.StateDocument>().toExtend<topics.StateDocument>();
  expectTypeOf<plain.ClientEntry>().toEqualTypeOf<contract.ClientEntry>();
});
