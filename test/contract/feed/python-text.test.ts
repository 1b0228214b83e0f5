import { expect, it } from 'vitest';
import { pythonWireText } from '../../../src/contract/feed/python-text.ts';
import { readProjectFile } from '../../support/project-files.ts';

it('the Python client has the close codes and types of the contract; npm run generate writes them', () => {
  expect(readProjectFile('clients/python/heartwire/_wire.py')).toBe(pythonWireText());
});
