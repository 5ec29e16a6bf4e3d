"""What a scenario may say: schema, units, the parameter book, loading and checking."""
