"""What was: values and events out of the bridge's history, over HTTP (docs/reference/history.md)."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Dict, List, Optional, Tuple, Union
from urllib.parse import urlencode, urlsplit, urlunsplit

from ._documents import JsonObject
from ._errors import ClientError, own_error

# Ms since the Unix epoch, a datetime with its zone, ISO 8601, or `-1h` before now; None for now.
When = Union[None, int, float, str, datetime]

TIMEOUT_S = 30


@dataclass(frozen=True)
class History:
    """The values of one field. A point is `(at_ms, min, max, last)` of `resolution_ms`; a gap is
    `(from_ms, to_ms, reason)`, and nothing is known of what was in it."""

    device: str
    field: str
    unit: Optional[str]
    resolution_ms: float
    points: List[Tuple[float, Any, Any, Any]]
    gaps: List[Tuple[float, float, str]]

    def to_pandas(self) -> Any:
        """A DataFrame with `min`, `max` and `last`, by time in UTC. Raises ClientError `no_pandas`."""
        try:
            import pandas
        except ImportError:
            raise own_error("no_pandas", "The package pandas is not installed. Install it: pip install pandas.") from None
        frame = pandas.DataFrame(self.points, columns=["at", "min", "max", "last"])
        frame["at"] = pandas.to_datetime(frame["at"], unit="ms", utc=True)
        frame = frame.set_index("at")
        frame.attrs = {"device": self.device, "field": self.field, "unit": self.unit, "gaps": self.gaps}
        return frame


@dataclass(frozen=True)
class EventsPage:
    """Events, the newest last; `answer` is what the bridge said besides."""

    events: List[JsonObject]
    answer: JsonObject


class HistoryClient:
    """Blocking; the asyncio client calls it in a thread."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        scheme = {"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)
        path = parts.path.rstrip("/")
        if path.endswith("/ws"):
            path = path[: -len("/ws")]
        self._base: Optional[str] = None
        if scheme in ("http", "https"):
            self._base = urlunsplit((scheme, parts.netloc, path, "", ""))

    def values(
        self, token: str, device: str, field: str, start: When, end: When, points: Optional[int]
    ) -> History:
        query = {"device": device, "field": field, "from": _when(start), "to": _when(end), "points": points}
        answer = self._get(token, "/api/history/values", query)
        return History(
            answer["device"],
            answer["field"],
            answer.get("unit"),
            answer["resolution_ms"],
            [tuple(point) for point in answer["points"]],
            [tuple(gap) for gap in answer["gaps"]],
        )

    def events(
        self,
        token: str,
        device: Optional[str],
        start: When,
        end: When,
        kind: Optional[str],
        limit: Optional[int],
    ) -> EventsPage:
        query = {"device": device, "kind": kind, "from": _when(start), "to": _when(end), "limit": limit}
        answer = self._get(token, "/api/history/events", query)
        return EventsPage(answer["events"], answer)

    def _get(self, token: str, path: str, query: Dict[str, Any]) -> JsonObject:
        if self._base is None:
            raise own_error(
                "no_http", "History is asked for over HTTP. Connect with http=\"http://HOST:PORT\" beside tcp://."
            )
        given = {key: value for key, value in query.items() if value is not None}
        request = urllib.request.Request(f"{self._base}{path}?{urlencode(given)}")
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise _refusal(error) from None
        except OSError as error:
            raise ClientError("unreachable", f"{self._base} did not answer: {error}.", retry=True) from error


def _refusal(error: urllib.error.HTTPError) -> ClientError:
    """An answer that is an error carries a code and a message."""
    retry = error.code in (429, 503)
    try:
        answer = json.load(error)
        return ClientError(answer["code"], answer["message"], retry)
    except (ValueError, KeyError, TypeError):
        return ClientError("http_error", f"The bridge answered with HTTP status {error.code}.", retry)


def _when(moment: When) -> Union[None, int, str]:
    if isinstance(moment, datetime):
        if moment.tzinfo is None:
            raise ValueError(f"{moment!r} has no time zone. Write datetime(..., tzinfo=timezone.utc), or use astimezone().")
        return round(moment.timestamp() * 1_000)
    return round(moment) if isinstance(moment, (int, float)) else moment
