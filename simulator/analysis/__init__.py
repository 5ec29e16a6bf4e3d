"""Questions asked of runs: what changed, where effort went, what the constraint is."""
