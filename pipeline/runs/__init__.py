"""Many documents: sources, records, resume, progress."""
