import { describe } from 'vitest';
import { dial } from '../../src/links/transports.ts';
import { linkContract } from '../support/link-contract.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { serialAddress } from '../support/serial-address.ts';

describe.runIf(hasPtys())('on a pty', () => {
  linkContract(
    'A serial link',
    async () => {
      const pty = openPty();
      return {
        link: dial(serialAddress(pty.path)),
        peer: async () => pty,
        dispose: () => pty.dispose(),
      };
    },
    { hangUpCodes: ['port_unplugged'], bulk: 65_536 },
  );
});
