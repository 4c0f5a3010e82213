"""What was used last, up to a total weight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """Keeps values until newer ones weigh too much; the last one is kept whatever it weighs."""

    def __init__(self, most: int, weight: Callable[[Value], int] = lambda value: 1) -> None:
        self._most = most
        self._weight = weight
        self._kept: OrderedDict[Key, Value] = OrderedDict()
        self._total = 0

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now."""
        if key in self._kept:
            self._kept.move_to_end(key)
        return self._kept.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep a value."""
        if key in self._kept:
            self._total -= self._weight(self._kept.pop(key))
        self._kept[key] = value
        self._total += self._weight(value)
        while self._total > self._most and len(self._kept) > 1:
            self._total -= self._weight(self._kept.popitem(last=False)[1])
