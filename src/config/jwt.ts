import { z } from 'zod';
import { badValue, durationField, oneOrMoreField, textField } from './field.ts';
import { type ConfigOf, configOf } from './keys.ts';
import type { Finding } from './problem.ts';

/** Ways to sign of each kind of key; those of secrets and of key pairs are never mixed. */
const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'];
const PAIR_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
];

const CLAIMS = {
  roles_claim: textField('the name of a claim', 'heartwire_roles', {
    description: 'The claim with the role, or a list of roles.',
  }).prefault('heartwire_roles'),
  topics_claim: textField('the name of a claim', 'heartwire_topics', {
    description: 'The claim with the list of patterns of topics.',
  }).prefault('heartwire_topics'),
  clock_tolerance: durationField(0, 10 * 60_000, {
    description: 'How far the clock of the issuer may be off.',
  }).prefault('5s'),
};

const keyFile = (what: string, example: string, description: string) =>
  textField(what, example, { description }).optional();

/** The key `access.jwt`. */
export const jwtShape = z.strictObject({
  secret_file: keyFile('a file', 'jwt.secret', 'The file of a shared secret of at least 32 bytes.'),
  public_key_file: keyFile('a file', 'issuer.pem', 'The file of a public key or a certificate, PEM.'),
  jwks_file: keyFile('a file', 'issuer.jwks.json', 'The file of a set of public keys, JWKS.'),
  algorithms: oneOrMoreField(
    'an algorithm',
    'ES256',
    {
      description:
        'How tokens must be signed. `HS256` with a secret, `ES256`, `EdDSA` and `RS256` with public keys where it is left out.',
      examples: ['ES256', ['RS256', 'PS256']],
    },
    (text) =>
      [...SECRET_ALGORITHMS, ...PAIR_ALGORITHMS].includes(text)
        ? undefined
        : badValue(
            'This is no algorithm that tokens may be signed with.',
            `Write one of ${[...SECRET_ALGORITHMS, ...PAIR_ALGORITHMS].join(', ')}.`,
          ),
  ).optional(),
  issuer: oneOrMoreField('an issuer', 'https://login.example', {
    description: 'The issuers that are accepted (`iss`); any with the key where it is left out.',
  }).optional(),
  audience: oneOrMoreField('an audience', 'heartwire', {
    description: 'The audiences that are accepted (`aud`); any where it is left out.',
  }).optional(),
  ...CLAIMS,
});

/** Tokens that another party signs. */
export interface JwtConfig extends ConfigOf<typeof CLAIMS> {
  /** With what they are checked: one file. */
  readonly key: { readonly kind: 'secret' | 'pem' | 'jwks'; readonly path: string };
  /** No other is taken, whatever a token says of itself. */
  readonly algorithms: readonly string[];
  readonly issuer?: readonly string[];
  readonly audience?: readonly string[];
}

/** Fills in what is left out, and says which keys contradict each other. */
export function completeJwt(
  given: z.output<typeof jwtShape>,
  beside: (path: string) => string,
  add: (finding: Finding) => void,
): JwtConfig {
  const { secret_file: secret, public_key_file: pem, jwks_file: jwks, algorithms, issuer, audience } = given;
  const files = [secret, pem, jwks].filter((each) => each !== undefined);
  if (files.length !== 1) {
    add({
      code: files.length === 0 ? 'config_missing_key' : 'config_conflict',
      path: ['access', 'jwt'],
      message:
        files.length === 0 ? 'Nothing says how tokens are checked.' : 'Tokens are checked with one file.',
      fix: 'Give one of `secret_file`, `public_key_file` and `jwks_file`.',
    });
  }
  const kind = secret !== undefined ? 'secret' : pem !== undefined ? 'pem' : 'jwks';
  const possible = kind === 'secret' ? SECRET_ALGORITHMS : PAIR_ALGORITHMS;
  const foreign = algorithms?.find((each) => !possible.includes(each));
  if (foreign !== undefined) {
    add({
      code: 'config_conflict',
      path: ['access', 'jwt', 'algorithms'],
      message: `${foreign} does not go with ${kind === 'secret' ? 'a secret' : 'public keys'}.`,
      fix: `Write one of ${possible.join(', ')}.`,
    });
  }
  return {
    key: { kind, path: beside(files[0] ?? '') },
    algorithms: algorithms ?? (kind === 'secret' ? ['HS256'] : ['ES256', 'EdDSA', 'RS256']),
    ...(issuer === undefined ? {} : { issuer }),
    ...(audience === undefined ? {} : { audience }),
    ...configOf(CLAIMS, given),
  };
}
