"""Gold from scratch, blind: drafts that are gold files, the form, and the check at the end."""
