"""How good a run is, against gold: gold → verdicts → scores → report; compare, agree.

gold.py        gold files as facts         verdicts.py    correct, wrong, omitted, invented
runs.py        a run folder                metrics.py     counts → rates with intervals
score.py       scores.json                 report.py      report.html, comparison.html
compare.py     paired comparison           agree.py       two annotators
"""
