"""Event logs of a revenue process: reading, discovery and estimation."""
