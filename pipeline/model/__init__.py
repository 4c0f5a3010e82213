"""Asking a model: prompts, calls, the store of answers, the embedded model."""
