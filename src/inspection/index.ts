export { declarationText } from './declaration-text.ts';
