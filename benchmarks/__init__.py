"""Figures that the project promises, each measured beside its own floor in the same run."""
