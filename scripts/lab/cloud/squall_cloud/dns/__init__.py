"""A small name server of our own: what a resolver really sees when a record or a writer moves."""
