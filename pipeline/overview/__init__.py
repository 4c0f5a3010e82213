"""One offline page over a panel: coverage, figures over time, findings, each with its evidence.

panel rows → material.py → content.py (index) + details.py (evidence, packed) → page.py → HTML
"""
