"""Topics, patterns and merge patches: the words of the feed (docs/reference/feed.md)."""

from __future__ import annotations

from typing import Any, Dict, Optional

JsonObject = Dict[str, Any]


def matches_topic(pattern: str, topic: str) -> bool:
    """Whether a pattern covers a topic: `+` is one level, `#` the rest, which may be nothing."""
    if pattern == topic:
        return True
    wanted, levels = pattern.split("/"), topic.split("/")
    # Raw bytes are many, and no client gets them by accident: only a pattern that ends in `bytes` covers them.
    if len(levels) == 3 and levels[0] == "devices" and levels[2] == "bytes":
        if len(wanted) != 3 or wanted[2] != "bytes":
            return False
    for index, level in enumerate(wanted):
        if level == "#":
            return True
        if index >= len(levels) or level not in ("+", levels[index]):
            return False
    return len(wanted) == len(levels)


def apply_patch(target: Any, patch: JsonObject) -> JsonObject:
    """Applies a JSON merge patch (RFC 7396); neither argument is changed, untouched parts are shared."""
    result = dict(target) if isinstance(target, dict) else {}
    for key, change in patch.items():
        if change is None:
            result.pop(key, None)
        else:
            result[key] = apply_patch(result.get(key), change) if isinstance(change, dict) else change
    return result


def device_of(topic: str) -> Optional[str]:
    """The id in `devices/<id>/...`."""
    levels = topic.split("/")
    return levels[1] if levels[0] == "devices" and len(levels) > 1 else None
