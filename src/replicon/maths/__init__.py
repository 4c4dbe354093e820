"""Numerical engines that several systems share."""
