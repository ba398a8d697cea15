"""AWS FIS: templates, and an engine that really carries out what the lab has."""
