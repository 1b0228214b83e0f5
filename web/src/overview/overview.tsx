import { devices } from '../api/devices.ts';
import { href } from '../app/location.ts';
import { devicePath } from '../app/routes.ts';
import { StatusBadge } from '../parts/status.tsx';

export function Overview() {
  void devices.listed.value;
  return (
    <ul>
      {[...devices.all.values()].map((device) => (
        <li key={device.id}>
          <a href={href(devicePath(device.id))}>{device.name}</a> <StatusBadge status={device.status} />
        </li>
      ))}
    </ul>
  );
}
