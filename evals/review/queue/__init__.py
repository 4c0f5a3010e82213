"""What to check next: the list of documents, the chance of each figure to be wrong, checks that remain."""
