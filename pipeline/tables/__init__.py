"""The three tables of the forms: read by label, never by position."""
