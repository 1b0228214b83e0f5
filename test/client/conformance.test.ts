import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PROJECT_ROOT } from '../support/project-files.ts';
import {
  casesOf,
  casesText,
  runSession,
  runView,
  runWords,
  type SessionCase,
  type ViewCase,
  type WordCases,
} from './conformance-cases.ts';

const file = (name: string): string => join(PROJECT_ROOT, `fixtures/conformance/${name}.json`);

// Clients in other languages run the same files.
describe('a client of the feed', () => {
  it.each(casesOf<SessionCase[]>('session'))('$name', (each) => {
    expect(runSession(each)).toEqual(each);
  });

  it.each(casesOf<ViewCase[]>('view'))('keeps a view: $name', (each) => {
    expect(runView(each)).toEqual(each);
  });

  it('matches topics and applies patches', () => {
    const cases = casesOf<WordCases>('words');
    expect(runWords(cases)).toEqual(cases);
  });

  // Run with -u, this writes what the cases give into their files.
  it('has its cases written in one way', async () => {
    const sessions = casesOf<SessionCase[]>('session').map(runSession);
    await expect(casesText(sessions)).toMatchFileSnapshot(file('session'));
    const views = casesOf<ViewCase[]>('view').map(runView);
    await expect(casesText(views)).toMatchFileSnapshot(file('view'));
  });
});
