"""Written by `npm run generate` from the contract of the feed."""

from __future__ import annotations

from typing import Any, Dict, List, Literal, TypedDict, Union

# Close codes after which a new connection would end in the same way; so do those from 4500 to 4999.
NEVER_RECONNECT = (1002, 1003, 1007, 1008, 1009, 1010)

DeviceStateLink = TypedDict(
    "DeviceStateLink",
    {
        "status": "Literal['disabled', 'listening', 'connecting', 'connected', 'backoff', 'failed']",
        "transport": "Literal['tcp', 'serial', 'replay', 'udp', 'unix', 'rfc2217']",
        "bus": "str",
        "address": "str",
        "since": "float",
        "attempt": "int",
        "retry_at": "float",
        "reason": "str",
        "detail": "str",
    },
    total=False,
)

DeviceStateIdentity = TypedDict(
    "DeviceStateIdentity",
    {
        "appid": "str",
        "imei": "str",
        "identity": "str",
    },
    total=False,
)

DeviceStateRegisteredAs = TypedDict(
    "DeviceStateRegisteredAs",
    {
        "appid": "str",
        "imei": "str",
        "identity": "str",
    },
    total=False,
)

DeviceStateClock = TypedDict(
    "DeviceStateClock",
    {
        "offset_ms": "float",
        "bound_ms": "float",
        "samples": "int",
    },
    total=False,
)

DeviceStateShared = TypedDict(
    "DeviceStateShared",
    {
        "at": "str",
        "read_only": "bool",
        "programs": "List[str]",
        "reason": "str",
        "detail": "str",
    },
    total=False,
)

DeviceState = TypedDict(
    "DeviceState",
    {
        "device": "str",
        "label": "str",
        "group": "str",
        "status": "Literal['unknown', 'registering', 'online', 'stale', 'offline', 'away']",
        "since": "float",
        "reason": "str",
        "detail": "str",
        "link": "DeviceStateLink",
        "identity": "DeviceStateIdentity",
        "registered_as": "DeviceStateRegisteredAs",
        "clock": "DeviceStateClock",
        "values": "Dict[str, Any]",
        "quality": "Dict[str, Literal['warn', 'alarm', 'stale', 'invalid']]",
        "declaration": "str",
        "shared": "List[DeviceStateShared]",
        "warnings": "List[str]",
        "replay": "bool",
    },
    total=False,
)

DeclarationFieldsWarn = TypedDict(
    "DeclarationFieldsWarn",
    {
        "least": "float",
        "greatest": "float",
    },
    total=False,
)

DeclarationFieldsAlarm = TypedDict(
    "DeclarationFieldsAlarm",
    {
        "least": "float",
        "greatest": "float",
    },
    total=False,
)

DeclarationFields = TypedDict(
    "DeclarationFields",
    {
        "unit": "str",
        "label": "str",
        "group": "str",
        "decimals": "int",
        "warn": "DeclarationFieldsWarn",
        "alarm": "DeclarationFieldsAlarm",
    },
    total=False,
)

DeclarationMessages = TypedDict(
    "DeclarationMessages",
    {
        "label": "str",
        "group": "str",
    },
    total=False,
)

DeclarationCommandsFields = TypedDict(
    "DeclarationCommandsFields",
    {
        "name": "str",
        "type": "Literal['number', 'choice', 'flag', 'text', 'bytes', 'time', 'json']",
        "label": "str",
        "description": "str",
        "unit": "str",
        "least": "float",
        "greatest": "float",
        "decimals": "int",
        "choices": "List[str]",
        "optional": "bool",
        "shown_by": "str",
    },
    total=False,
)

DeclarationCommands = TypedDict(
    "DeclarationCommands",
    {
        "label": "str",
        "group": "str",
        "description": "str",
        "either": "bool",
        "fields": "List[DeclarationCommandsFields]",
        "reply": "Literal['none', 'status', 'fields']",
    },
    total=False,
)

Declaration = TypedDict(
    "Declaration",
    {
        "fields": "Dict[str, DeclarationFields]",
        "messages": "Dict[str, DeclarationMessages]",
        "commands": "Dict[str, DeclarationCommands]",
        "replay": "bool",
    },
    total=False,
)
