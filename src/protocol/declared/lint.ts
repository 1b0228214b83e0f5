import type { ProtocolDeclaration } from './declaration.ts';

export interface DeclarationFinding {
  readonly severity: 'error' | 'warning';
  readonly where: string;
  readonly message: string;
  readonly mend: string;
}
export function lintProtocol(declaration: ProtocolDeclaration): readonly DeclarationFinding[] {
  void declaration;
  return [];
}
