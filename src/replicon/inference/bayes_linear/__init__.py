"""Bayes-optimal estimation of a linear model in high dimensions: branches, free energy and the hard phase."""
