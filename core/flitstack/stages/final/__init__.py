"""The final report: what a migration came to, gathered from its journal alone."""
