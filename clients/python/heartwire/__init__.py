"""Follow and command the devices of a Heartwire bridge.

`connect` is for asyncio, `heartwire.sync.connect` for programs without an event loop. docs/reference/python.md shows both.
"""

from ._client import Client, Subscription, View, connect
from ._errors import ClientError
from ._history import EventsPage, History
from ._items import Broadcast, Event, Gap, Item
from ._session import BackOff, ClientStatus
from ._wire import Declaration, DeviceState

__all__ = [
    "BackOff",
    "Broadcast",
    "Client",
    "ClientError",
    "ClientStatus",
    "Declaration",
    "DeviceState",
    "Event",
    "EventsPage",
    "Gap",
    "History",
    "Item",
    "Subscription",
    "View",
    "connect",
]
__version__ = "0.2.0"
