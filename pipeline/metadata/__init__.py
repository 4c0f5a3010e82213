"""Who reports, for which period, and whether a text is a report at all."""
