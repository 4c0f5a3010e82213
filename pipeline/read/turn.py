"""Where a box of an upright picture lies on the page as it was scanned."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.document import Box


@dataclass(frozen=True, slots=True)
class Turn:
    """The rotation by which a page was set upright: degrees counter-clockwise about (x, y), in points."""

    angle: float
    x: float
    y: float

    def back(self, box: Box) -> Box:
        """The smallest box on the page as scanned that holds `box` of the upright one."""
        if self.angle == 0:
            return box
        corners = [self._back(x, y) for x in (box.x0, box.x1) for y in (box.top, box.bottom)]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        return Box(min(xs), min(ys), max(xs), max(ys))

    def _back(self, x: float, y: float) -> tuple[float, float]:
        cosine, sine = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        right, down = x - self.x, y - self.y
        return self.x + right * cosine - down * sine, self.y + right * sine + down * cosine
