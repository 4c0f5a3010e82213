"""Figures and zeros in prose: found by grammar, labelled by wording or by a model."""
