"""From annual disclosure reports (政府信息公开工作年度报告) to checked data.

The flow: read → tables + mentions → label → check → record → panel → export.

    import pipeline

    report = pipeline.extract("a.pdf")     one report: facts, findings, text
    run = pipeline.read_run("run")         what `gongkai extract` wrote: run.panel(), run.facts(), …
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["ExtractedReport", "Run", "__version__", "extract", "read_run"]

if TYPE_CHECKING:
    from pipeline.api import ExtractedReport, Run, extract, read_run
else:

    def __getattr__(name: str) -> object:
        """The functions of api.py: loaded when used, for every module of the package imports this one."""
        if name in __all__:
            from pipeline import api

            return getattr(api, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
