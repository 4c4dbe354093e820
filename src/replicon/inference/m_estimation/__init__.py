"""Convex M-estimation in high dimensions: theory, simulation and published numbers."""
