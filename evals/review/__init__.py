"""`gongkai review`: a local web page on which a person reads a run against its sources.

One mode a start: review of a run, annotation from scratch, adjudication of two annotators, or
the comparison of two runs. The server stands on the loopback address and answers one browser.

    settings → server → app (security around it) → routes of the mode → templates, static

    source/        the left side of every mode          annotation/    gold from scratch, blind
    figures/       check and correct one document       adjudication/  where two annotators differ
    queue/         what to check next, and how much     comparison/    what two runs read differently
"""
