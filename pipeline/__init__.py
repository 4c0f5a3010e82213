"""From annual disclosure reports (政府信息公开工作年度报告) to checked data.

The flow: read → tables + mentions → label → check → record → export.
"""

__version__ = "0.1.0"
