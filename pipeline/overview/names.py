"""Names that rows give by their number: a page with 40,000 rows says each name once."""

from __future__ import annotations


class Names:
    """A list of names without repetition, and the position of each."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self._positions: dict[str, int] = {}

    def position(self, name: str | None) -> int | None:
        """The position of `name`, added if new; None for no name."""
        if name is None:
            return None
        if name not in self._positions:
            self._positions[name] = len(self.listed)
            self.listed.append(name)
        return self._positions[name]
