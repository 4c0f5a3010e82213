"""Checking and correcting: a document's figures, what people said of them, and what the page shows."""
