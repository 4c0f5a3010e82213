"""The baseline: a model fills the whole schema in one call."""
