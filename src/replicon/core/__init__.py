"""The contract: systems, realisations, comparisons, results. No physics."""
