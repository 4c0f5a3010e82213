"""A run as tables for analysis."""
