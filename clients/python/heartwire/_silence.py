"""Watches one connection for silence."""

from __future__ import annotations

from typing import Optional

# Without a message for so many ping intervals: ask, call it stale, give it up.
ASK_AFTER = 1.1
STALE_AFTER = 1.5
LOST_AFTER = 2.25
# An answer gets at least so many intervals.
ANSWER_WITHIN = 0.75
# A judgement that comes later than this, in ms, was made by a program that slept: what came is not read yet.
LATE_MS = 1_000


class Silence:
    """The bridge pings in every interval, so much more than one without a message means that the bridge is gone.
    A program that was stopped, or a laptop that slept, finds all its deadlines passed at once: it then asks, and
    judges by whether the answer comes.
    """

    def __init__(self, interval_ms: float, now_ms: float) -> None:
        self._interval_ms = interval_ms
        self._active_at = now_ms
        self._asked_at: Optional[float] = None
        # Nothing came for so long that the view can't be called the present.
        self.stale = False

    def activity(self, now_ms: float) -> None:
        self._active_at = now_ms
        self._asked_at = None
        self.stale = False

    @property
    def next_deadline(self) -> float:
        if self._asked_at is None:
            return self._active_at + ASK_AFTER * self._interval_ms
        if self.stale:
            return self._lost_at(self._asked_at)
        return self._active_at + STALE_AFTER * self._interval_ms

    def judge(self, now_ms: float) -> Optional[str]:
        """`ask`, `lost`, or None."""
        if now_ms >= self._active_at + STALE_AFTER * self._interval_ms:
            self.stale = True
        if self._asked_at is not None:
            late = now_ms - self._lost_at(self._asked_at)
            if late < 0:
                return None
            if late <= LATE_MS:
                return "lost"
        elif now_ms < self._active_at + ASK_AFTER * self._interval_ms:
            return None
        self._asked_at = now_ms
        return "ask"

    def _lost_at(self, asked_at: float) -> float:
        return max(
            self._active_at + LOST_AFTER * self._interval_ms,
            asked_at + ANSWER_WITHIN * self._interval_ms,
        )
