import { linkContract } from '../support/link-contract.ts';
import { acceptedPair, dialledPair } from '../support/tcp-pair.ts';

const options = { hangUpCodes: ['link_closed', 'link_reset'], bulk: 2 ** 20 } as const;

linkContract('A dialled TCP link', dialledPair, options);
linkContract('An accepted TCP link', acceptedPair, options);
